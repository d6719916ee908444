#!/bin/bash
# ctest: label=nightly slow serial timeout=1500
# Every fuzz target builds with libFuzzer and survives a few seconds from its seeds.  (Longer: scripts/fuzz all SECONDS.)
set -euo pipefail
cd "$SRC_DIR"
[ -n "$(scripts/fuzz list)" ] || { echo "no fuzz targets"; exit 77; }
BUILD=$BUILD_DIR/other/fuzz scripts/fuzz all "${FUZZ_SECONDS:-5}"
