#!/bin/bash
# ctest: label=nightly slow serial timeout=1200
# Constant time: the programs of tests/ct under valgrind with secrets marked undefined, built by gcc and by clang.
set -euo pipefail
cd "$SRC_DIR"
ls tests/ct/ct_*.c >/dev/null 2>&1 || { echo "no constant-time tests"; exit 77; }
for preset in ct ct-clang; do
    b=$BUILD_DIR/other/$preset
    mkdir -p "$b"
    cmake --preset $preset -B "$b" -DTROTH_BENCH=OFF >"$b/log" 2>&1 || { cat "$b/log"; exit 1; }
    cmake --build "$b" -j "$(nproc)" >"$b/log" 2>&1 || { grep -E 'error|undefined' -A4 "$b/log" | head -40; exit 1; }
    (cd "$b" && ctest -j "$(nproc)" -L '^ct$' --no-tests=error --output-on-failure >ctest.log 2>&1) || { tail -60 "$b/ctest.log"; exit 1; }
    echo "$preset: $(grep 'tests passed' "$b/ctest.log")"
done
