#!/usr/bin/env bash
# Checks test-vectors/ without our code: a plain implementation in Python checks every file, detects
# every altered value, and the example of the page runs. Runs on Debian, installs what is missing,
# and takes less than a minute.
set -euo pipefail
cd "$(dirname "$0")/.."

export PYTHONDONTWRITEBYTECODE=1
venv=target/vectors-venv
if ! "$venv/bin/python" -c 'import cryptography' 2>/dev/null; then
    if ! python3 -m venv --clear "$venv" 2>/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y python3-venv >/dev/null
        python3 -m venv --clear "$venv"
    fi
    "$venv/bin/pip" install --quiet 'cryptography>=46,<50'
fi

for program in check broken; do
    timeout 120 "$venv/bin/python" "interop/record/$program.py" test-vectors
done
timeout 60 python3 test-vectors/example.py
