#!/bin/bash
# ctest: label=nightly slow serial timeout=1500
# gcc -fanalyzer, clang-tidy, cppcheck have nothing to say, but for the exclusions that stand in their configuration with a reason.
cd "$SRC_DIR" && BUILD=$BUILD_DIR/other/dev scripts/analyse
