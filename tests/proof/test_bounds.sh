#!/bin/bash
# ctest: label=nightly slow serial timeout=2400
# The smallest readers and writers cannot leave what they were given, whatever the bytes and sizes are: their contracts (base.acsl) are proved by
# Frama-C's WP with Z3 and CVC4.  Needs the packages frama-c-base, why3, z3 and cvc4, which scripts/setup does not install: without them it fails.
set -euo pipefail
cd "$SRC_DIR"
for tool in frama-c why3 z3 cvc4; do
    command -v $tool >/dev/null || { echo "no $tool: apt-get install --no-install-recommends frama-c-base why3 z3 cvc4"; exit 1; }
done
out=$BUILD_DIR/proof
rm -rf "$out"
mkdir -p "$out"
export WHY3CONFIG=$out/why3.conf
why3 config detect >"$out/why3.log" 2>&1 || { cat "$out/why3.log"; exit 1; }
python3 tests/proof/annotate.py tests/proof/base.acsl . "$out"

# What cannot be proved here is left out by name; SOUNDNESS.md says so.
prove() {
    local file=$1 log
    log=$out/$(basename "$file").log
    shift
    frama-c -machdep gcc_x86_64 -cpp-extra-args="-I $out/src -I src -I include" "$out/$file" \
        -wp -wp-rte -wp-prover z3,cvc4 -wp-timeout "${PROOF_SECONDS:-60}" -wp-par 2 "$@" >"$log" 2>&1 || { tail -20 "$log"; exit 1; }
    local line
    line=$(grep 'Proved goals' "$log" || true)
    echo "$file:${line#*goals:} goals"
    awk '/Proved goals/ { ok = $4 > 0 && $4 == $6 } END { exit !ok }' "$log" || { grep -A3 -E '\[(Failed|Timeout|Unknown)\] Goal' "$log"; exit 1; }
}
# Bytes are copied through `const void *` (wr_raw), and DER hands results out through pointers of its own: each with the memory model for it.
prove src/base/rd.c -wp-skip-fct rd_saw,rd_u16s,rd_u8s,name_find,name_of,u16s_at
prove src/base/wr.c -wp-model Typed+Cast -wp-skip-fct u16s_at
prove src/x509/der.c -wp-model Typed+Ref -wp-fct header,take,told,refuse,der_next_is,der_any,der_value,der_whole,der_skip,der_open,der_open_raw,der_end,\
boolean_of,integer_minimal,der_integer,der_small,der_unsigned,der_oid_ok,bits_read,der_bit_string,der_named_bits,digits,days_in_month,utf8_ok
