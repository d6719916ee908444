#!/bin/bash
# ctest: slow serial timeout=1200
# scripts/demo does what it says: every step is checked in it; here also that it leaves one file and no process behind.
set -euo pipefail
cd "$SRC_DIR"
TROTH_NO_SETUP=1 BUILD=$BUILD_DIR/other/demo scripts/demo >"$BUILD_DIR/demo.log" 2>&1 || { tail -40 "$BUILD_DIR/demo.log"; exit 1; }
[ "$(ls demo)" = handshake.html ] || { ls demo; exit 1; }
if pgrep -f "$BUILD_DIR/other/demo/bin/troth" >/dev/null; then echo "a server was left running"; exit 1; fi
for said in "It works" "Verification: OK" "cert.name-mismatch" "cert.expired"; do
    grep -q "$said" "$BUILD_DIR/demo.log" || { echo "the demo did not say: $said"; exit 1; }
done
