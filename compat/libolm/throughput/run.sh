#!/usr/bin/env bash
# Times our libolm, the real one, and our Rust library without the C interface, in one process. Prints a table;
# `--write` keeps it in benches/results/c-abi.md. `--quick` only shows that it works.
#
# OLM_REAL and OLM_OURS name the libraries; what is not given is obtained as for the differential test.
set -euo pipefail
cd "$(dirname "$0")"

root=$(cd ../../.. && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
. ../libraries.sh
command="compat/libolm/throughput/run.sh $*"
libraries "$root" "$target"

cargo build --quiet --release --target-dir "$target/throughput"
table=$("$target/throughput/release/moceril-libolm-throughput" "$@")
echo "$table"
case " $* " in
*" --write "*)
    cat >"$root/benches/results/c-abi.md" <<MARKDOWN
# Our libolm beside the real one

Written by \`$command\` on $(date +%F), on $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -1), with
$(rustc --version); [README.md](../../compat/libolm/README.md#throughput) says what is measured.

$table
MARKDOWN
    ;;
esac
