#!/bin/bash
# ctest: label=nightly slow timeout=3000
# test_differential with many more draws, and the mutations of test_openssl with other seeds.
set -u
DIFFERENTIAL=${DIFFERENTIAL:-6000} "$BUILD_DIR/tests/bin/test_x509_differential" && MUTATIONS=${MUTATIONS:-6000} "$BUILD_DIR/tests/bin/test_x509_openssl"
