#!/bin/bash
# ctest: label=nightly slow serial timeout=1500
# gcc and clang, debug and release: no warning (-Werror), and the quick tests pass in each.  (The build that runs this is one of them.)
set -euo pipefail
cd "$SRC_DIR"
for preset in release release-clang dev-clang; do
    b=$BUILD_DIR/other/$preset
    mkdir -p "$b"
    cmake --preset $preset -B "$b" -DTROTH_WERROR=ON -DTROTH_BENCH=OFF >"$b/log" 2>&1 || { cat "$b/log"; exit 1; }
    cmake --build "$b" -j "$(nproc)" >"$b/log" 2>&1 || { grep -E 'error|warning|undefined' -A4 "$b/log" | head -40; exit 1; }
    (cd "$b" && ctest -j "$(nproc)" -LE 'slow|check' --no-tests=error --output-on-failure >ctest.log 2>&1) ||
        { grep -E 'tests passed|\(Failed\)|\(Timeout\)|ERROR|Error' -A3 "$b/ctest.log" | tail -60; exit 1; }
    echo "$preset: $(grep 'tests passed' "$b/ctest.log")"
    tools/check-names "$b"
done
