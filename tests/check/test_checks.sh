#!/bin/bash
# The checks of tools/ can fail: each is given a small tree that breaks its rule, and one that does not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

# fresh: a small tree that keeps to every rule
fresh() {
    rm -rf "$work/t"
    mkdir -p "$work"/t/{include/troth,src/{base,wire,tls,api},cli,tests/unit,docs/man}
    cd "$work/t"
    cp "$SRC_DIR/ARCHITECTURE.md" .
    echo 'R(0, ODD, none, "x.odd", "odd", NOBODY, "")' >include/troth/reasons.def
    echo 'int odd(int x); /* R_ODD */' >src/base/a.h
    printf '#include "base/a.h"\nint odd(int x)\n{\n    return x == R_ODD;\n}\n' >src/base/a.c
    printf '#include "base/a.h"\n' >src/wire/w.h
    printf 'int test = R_ODD;\n' >tests/unit/test_a.c
    printf 'int troth_a(int x);\n' >include/troth/a.h
}
# check NAME yes|no: it must pass, or must refuse
check() {
    local got=yes
    "$SRC_DIR/tools/check-$1" "$work/t" >"$work/said" 2>&1 || got=no
    count=$((count + 1))
    [ "$got" = "$2" ] || { echo "check-$1 said $got, expected $2: $3"; cat "$work/said"; exit 1; }
}
fresh
for c in layers size reasons macros ifs memcmp headers docs cites; do check $c yes "a clean tree"; done

fresh; echo '#include "wire/w.h"' >>src/base/a.h;               check layers no "base includes wire"
fresh; echo '#include <openssl/evp.h>' >>src/tls/k.c;           check layers no "libcrypto outside its folder"
fresh; echo '#include "base/a.h"' >cli/main.c;                  check layers no "the program sees the inside"
fresh; mkdir cli/net; echo 'int n;' >cli/net/n.h
       mkdir cli/common; echo '#include "net/n.h"' >cli/common/c.c; check layers no "what all verbs share includes the network"
fresh; echo '#include <unistd.h>' >>src/base/a.c;               check layers no "I/O below api"
fresh; echo 'char *home = getenv("HOME");' >>src/base/a.c;      check layers no "environment below api"
fresh; echo '#include "wire/v.h"' >>src/wire/w.h
       echo '#include "wire/w.h"' >src/wire/v.h;                check layers no "headers in a circle"
fresh; { echo 'int f(void) {'; seq 100 | sed 's,.*,    g();,'; echo 'return 0; }'; } >src/base/b.c
                                                                check size no "a long function"
fresh; seq 801 | sed 's,.*,/* & */,' >src/base/b.c;             check size no "a long file"
fresh; echo 'R(1, LOST, none, "x", "x", NOBODY, "")' >>include/troth/reasons.def
                                                                check reasons no "a reason nobody raises"
fresh; sed -i 's/R(0,/R(1,/' include/troth/reasons.def;         check reasons no "a number that is left out"
fresh; { echo 'R(0, ODD2, none, "x.odd2", "odd", NOBODY, "")' >>include/troth/reasons.def
         echo 'int two = R_ODD2;' | tee -a src/base/a.c >>tests/unit/test_a.c; }
                                                                check reasons no "a number that is taken"
fresh; echo >tests/unit/test_a.c;                               check reasons no "a reason no test names"
fresh; printf '#define OUT(x) \\\n    return x\n' >>src/base/a.h; check macros no "a macro that returns"
fresh; echo 'void f(void) { goto x; x:; }' >>src/base/a.c;      check macros no "a goto"
fresh; seq 15 | sed 's,.*,#if A,' >>src/wire/w.h;               check ifs no "fifteen #ifs"
fresh; echo 'int f(void) { return memcmp(a, tag, 16); }' >src/tls/x.c
                                                                check memcmp no "memcmp on a tag"
fresh; echo 'int f(void) { return memcmp(a, b, 16); }' >src/tls/keys13.c
                                                                check memcmp no "memcmp where secrets live"
fresh; echo 'int g(size_t n);' >include/troth/b.h;              check headers no "a header that leans on another"
fresh; echo 'int g(int new);' >include/troth/b.h;               check headers no "a header that C++ refuses"
fresh; printf 'x(3)\n\n# NAME\n\nx - y\n\n```\n#include <troth/a.h>\nint y = troth_b();\n```\n' >docs/man/x.3.scd
                                                                check docs no "an example that does not compile"
fresh; echo '/* RFC 9846 D'.'3 */' >>src/base/a.c;                check cites no "a section that is none"
fresh; echo 'no title' >docs/man/x.3.scd;                    check docs no "a page that cannot be made"
fresh; git init -q .; { echo "/wor"; echo "k/main"; } | tr -d '\n' >README.md; git add README.md
                                                                check text no "the path of a machine"
fresh; git init -q .; printf 'int\tx;\n' >src/base/b.c; git add src; check text no "a tab"

# a library that exports what it should not
mkdir -p "$work/b/lib"
cd "$work/b"
echo 'int troth_a(void){return 1;} int inner(void){return 2;}' >a.c
gcc -fPIC -shared -o lib/libtroth.so a.c && gcc -c a.c && ar rcs lib/libtroth.a a.o
if "$SRC_DIR/tools/check-names" "$work/b" >/dev/null; then echo "check-names did not see inner()"; exit 1; fi
echo '__attribute__((visibility("default"))) int troth_a(void){static int n; return n++;}' >a.c
gcc -fvisibility=hidden -fPIC -shared -o lib/libtroth.so a.c && gcc -fvisibility=hidden -c a.c
rm lib/libtroth.a; ar rcs lib/libtroth.a a.o
if "$SRC_DIR/tools/check-names" "$work/b" >/dev/null; then echo "check-names did not see a global"; exit 1; fi

# a library that offers something else than was written down
abi() { # MEMBER NAME: the library then, judged by what was written down
    printf 'struct troth_t { %s a; };\n' "$1" >troth.h
    printf '#include "troth.h"\nint %s(struct troth_t *t);\nint %s(struct troth_t *t) { return t->a != 0; }\n' "$2" "$2" >a.c
    gcc -g -fPIC -shared -o lib/libtroth.so a.c
    "$SRC_DIR/tools/check-abi" "$work/b" "$work/b/abi" >"$work/said"
}
UPDATE=1 abi int troth_a
abi int troth_a || { echo "check-abi does not know what it wrote"; cat "$work/said"; exit 1; }
if abi long troth_a; then echo "check-abi did not see that a member grew"; exit 1; fi
if abi int troth_b; then echo "check-abi did not see another function"; exit 1; fi
echo "$count trees judged as they should be"
