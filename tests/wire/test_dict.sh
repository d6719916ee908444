#!/bin/bash
# The fuzzers' dictionaries are those that their tables make, and have what every hello has, and what everybody has seen.
set -euo pipefail
"$SRC_DIR/tools/make-dict" --check
grep -qF -- 'extension_server_name="\x00\x00"' "$SRC_DIR/tests/fuzz/tls.dict"
grep -qF -- 'group_X25519MLKEM768="\x11\xec"' "$SRC_DIR/tests/fuzz/tls.dict"
grep -qF -- '"unable to get local issuer certificate"' "$SRC_DIR/tests/fuzz/foreign.dict"
