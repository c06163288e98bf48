# Sourced by `run` and `record`: installs the homeserver, builds our client, makes a directory for this run.
#   CLIENT  our client               TARGET  for what is kept
#   PYTHON  with the homeserver      STAGE   for what is not
# The script that sources this sets VERDICT to PASS at its end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export PYTHONDONTWRITEBYTECODE=1

STAGE=$(mktemp -d)

# The last line is the verdict, wherever the script ends.
VERDICT=FAIL
finish() {
    if [ "$VERDICT" = PASS ]; then rm -r "$STAGE"; else echo "kept for a look: $STAGE"; fi
    echo "$VERDICT"
}
trap finish EXIT

TARGET=$(realpath -m "${CARGO_TARGET_DIR:-../../target/matrix}")
environment=${MATRIX_VENV:-$TARGET/venv}
synapse=1.163.2

if [ ! -x "$environment/bin/register_new_matrix_user" ]; then
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check "matrix-synapse==$synapse"
fi
cargo build --manifest-path ../../examples/matrix_chat/Cargo.toml --target-dir "$TARGET" --jobs "${JOBS:-2}"
CLIENT=$TARGET/debug/matrix_chat
PYTHON=$environment/bin/python
