#!/bin/bash
# The fuzzers' dictionary is the one that the registry makes, and has what every hello has.
set -euo pipefail
"$SRC_DIR/tools/make-dict" --check
grep -qF 'extension_server_name="\x00\x00"' "$SRC_DIR/tests/fuzz/tls.dict"
grep -qF 'group_X25519MLKEM768="\x11\xec"' "$SRC_DIR/tests/fuzz/tls.dict"
