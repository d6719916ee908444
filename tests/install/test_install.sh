#!/bin/bash
# ctest: slow timeout=900
# Installs a release build under a temporary prefix and uses it as an outsider would: pkg-config and find_package, shared and
# static, gcc and clang, the examples of the documentation, the program, the man pages.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
die() { echo "install: $*" >&2; exit 1; }

cd "$SRC_DIR"
cmake --preset release -B "$work/b" -DTROTH_TESTS=OFF -DTROTH_BENCH=OFF -DCMAKE_INSTALL_PREFIX=/usr/local >"$work/log" 2>&1 &&
    cmake --build "$work/b" >>"$work/log" 2>&1 || { tail -30 "$work/log"; die "the release does not build"; }
DESTDIR=$work/stage cmake --install "$work/b" >"$work/log" || die "cmake --install"
mv "$work/stage/usr/local" "$work/moved"            # every path inside must be relative to where it ends up
prefix=$work/moved
libdir=$(dirname "$(find "$prefix" -name libtroth.a)")
"$SRC_DIR/tools/check-names" "$work/b"

# what was installed
for f in include/troth/{troth,verify,explain,provider,types}.h include/troth/reasons.def bin/troth lib/systemd/system/troth-{serve,proxy}.{service,socket} share/doc/troth/examples/{serve,proxy}.yaml share/doc/troth/schema/{connect,version}-1.json; do
    [ -f "$prefix/$f" ] || die "missing $f"
done
for page in man1/troth.1 man1/troth-explain.1 man3/libtroth.3 man3/troth_next.3 man3/troth_verify.3 man5/troth.yaml.5 man7/troth-errors.7; do
    [ -s "$prefix/share/man/$page" ] || die "missing man page $page"
done
grep -q '^ExecStart=/usr/local/bin/troth serve ' "$prefix/lib/systemd/system/troth-serve.service" || die "the unit starts another program"
MANPATH=$prefix/share/man man -w 3 troth_next >/dev/null || die "man does not find troth_next"
readelf -d "$libdir/libtroth.so" | grep -q 'SONAME.*libtroth.so.0' || die "SONAME"
readelf -d "$libdir/libtroth.so" | awk '/NEEDED/ {print $NF}' | tr -d '[]' >"$work/needed"
! grep -q 'libssl' "$work/needed" || die "libtroth needs libssl"
if strings -a "$libdir/libtroth.so" | grep -F "$SRC_DIR"; then die "the library contains the path of its source"; fi

# an authority and a server certificate, by somebody else
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" -subj /CN=ca \
    -days 30 -addext keyUsage=critical,keyCertSign 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key.pem" -out "$work/csr" -subj /CN=localhost 2>/dev/null
printf 'subjectAltName=DNS:localhost\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:false\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n' >"$work/ext"
openssl x509 -req -in "$work/csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -days 30 -extfile "$work/ext" -out "$work/chain.pem" 2>/dev/null
pair() {
    local said
    said=$("$@" "$work/ca.pem" "$work/chain.pem" "$work/key.pem") || die "$* failed: $said"
    echo "$said: ${1##*/}"
    [ "$said" = "same line back over TLS 1.3" ] || die "said '$said'"
}
export PKG_CONFIG_PATH=$libdir/pkgconfig
strict="-std=gnu11 -Wall -Wextra -Wconversion -Werror"
app=$SRC_DIR/tests/install/app
for cc in gcc clang-14; do
    $cc $strict -o "$work/pair_shared_$cc" "$app/pair.c" $(pkg-config --cflags --libs libtroth)
    LD_LIBRARY_PATH=$libdir pair "$work/pair_shared_$cc"
    $cc $strict -o "$work/pair_static_$cc" "$app/pair.c" $(pkg-config --cflags libtroth) "$libdir/libtroth.a" \
        $(pkg-config --static --libs-only-l libtroth | sed 's/-ltroth //')
    pair "$work/pair_static_$cc"
done
cmake -S "$app" -B "$work/app" -DCMAKE_PREFIX_PATH="$prefix" >"$work/log" 2>&1 && cmake --build "$work/app" >>"$work/log" 2>&1 ||
    { cat "$work/log"; die "find_package"; }
pair "$work/app/pair_shared"
pair "$work/app/pair_static"
ldd "$work/app/pair_static" | grep -q libtroth && die "pair_static needs libtroth.so"

# the examples: the client refuses the echo server (its root is not a system root) and says why; openssl is served
for example in client echo troth_run; do
    gcc $strict -o "$work/$example" "docs/examples/$example.c" $(pkg-config --cflags --libs libtroth) -Wl,-rpath,"$libdir"
done
python3 - README.md docs/examples/client.c <<'PY' || die "README's client is not docs/examples/client.c"
import re, sys
def main_of(text):
    return re.sub(r"\s+", " ", text[text.index("int main(int argc"):].split("\n}\n")[0])
readme = re.search(r"```c\n(.*?)```", open(sys.argv[1]).read(), re.S)[1]
sys.exit(main_of(readme) != main_of(open(sys.argv[2]).read()))
PY
port=$((20000 + RANDOM % 20000))
"$work/echo" "$work/chain.pem" "$work/key.pem" $port 2>"$work/echo.log" &
pids+=($!)
for _ in $(seq 50); do (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null && break; sleep 0.1; done
(echo "ping over TLS"; sleep 2) | timeout 30 openssl s_client -quiet -no_ign_eof -connect 127.0.0.1:$port -servername localhost \
    -CAfile "$work/ca.pem" -verify_return_error >"$work/out" 2>"$work/err" || die "openssl: $(cat "$work/err")"
grep -q "ping over TLS" "$work/out" || die "echo did not answer openssl"
head -c 8000000 /dev/urandom >"$work/much" # more than the sockets hold, both ways at once
timeout 100 "$work/troth_run" "$work/ca.pem" localhost $port <"$work/much" >"$work/back" 2>"$work/err" || die "troth_run: $(cat "$work/err")"
cmp "$work/much" "$work/back" || die "troth_run lost something"
if "$work/client" localhost $port >"$work/out" 2>"$work/err"; then die "the client trusted an unknown root"; fi
grep -qi "root\|issuer\|trust\|intermediate" "$work/err" || { cat "$work/err"; die "the refusal does not say why"; }

"$prefix/bin/troth" version | grep -q '0\.1' || die "the installed program does not run"
echo "installed copy: works"
