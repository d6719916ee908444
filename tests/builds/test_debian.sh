#!/bin/bash
# ctest: label=nightly slow serial timeout=1500
# The packages of debian/: built twice, in two folders, they are the same bytes; lintian has nothing to say; what is in them works
# where it is unpacked.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() { echo "debian: $*" >&2; exit 1; }

cd "$SRC_DIR"
version=$(dpkg-parsechangelog -S Version)
grep -qxF "project(troth VERSION $version LANGUAGES C)" CMakeLists.txt || die "debian/changelog is of $version, CMakeLists.txt is not"
mkdir -p "$work/a/troth" "$work/other/place"
git ls-files -z | xargs -0 cp --parents -t "$work/a/troth"
cp -a "$work/a/troth" "$work/other/place"
for place in a other/place; do
    (cd "$work/$place/troth" && dpkg-buildpackage -b -us -uc) >"$work/log" 2>&1 || { tail -30 "$work/log"; die "dpkg-buildpackage"; }
    (cd "$work/$place" && sha256sum ./*.deb) >"$work/sums.${place%%/*}"
done
diff "$work/sums.a" "$work/sums.other" || die "built in another folder they are others"
[ "$(wc -l <"$work/sums.a")" = 6 ] || { cat "$work/sums.a"; die "not four packages and two of debug symbols"; }
lintian --allow-root --fail-on error,warning "$work/a/troth_${version}_"*.changes || die "lintian"

for package in libtroth0 libtroth-dev troth troth-doc; do dpkg-deb -x "$work/a/${package}_${version}_"*.deb "$work/root"; done
lib=$(dirname "$(find "$work/root" -name libtroth.a)")
export LD_LIBRARY_PATH=$lib PKG_CONFIG_PATH=$lib/pkgconfig
"$work/root/usr/bin/troth" version | grep -qxF "troth $version" || die "the program does not run"
! readelf -d "$work/root/usr/bin/troth" | grep -E 'R(UN)?PATH' || die "the program looks for libraries by itself"
# shellcheck disable=SC2046 # options
gcc -o "$work/client" docs/examples/client.c $(pkg-config --cflags --libs libtroth) || die "the client of the documentation is not built"
"$work/client" localhost 1 >"$work/said" 2>&1 && die "the client reached nobody and was content"
grep -q 'localhost: Connection refused' "$work/said" || { cat "$work/said"; die "the client does not say why"; }
for file in share/man/man1/troth.1.gz share/man/man3/troth_next.3.gz share/man/man7/troth-errors.7.gz share/doc/troth/examples/failed.html \
    share/doc/troth/schema/version-1.json share/bash-completion/completions/troth; do
    [ -s "$work/root/usr/$file" ] || die "no /usr/$file"
done
grep -q '^ExecStart=/usr/bin/troth proxy ' "$work/root/lib/systemd/system/troth-proxy.service" || die "the unit starts another program"
dpkg-deb -f "$work/a/troth_${version}_"*.deb Depends | grep -q 'libtroth0 (>= ' || die "the program does not want its library"
echo "packages of $version: the same twice, clean, working"
