#!/bin/bash
# Each of scripts/ says with --help how it is called, and refuses what it does not know, before it installs, builds or runs anything.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# what a script would begin with is not to be reached
mkdir bin
for program in apt-get sudo cmake ninja; do printf '#!/bin/sh\necho "$0 $*" >>%s/begun\nexit 1\n' "$work" >bin/$program; done
chmod +x bin/*
export PATH=$work/bin:$PATH BUILD=$work/build
count=0

# call CODE SCRIPT arguments...: ends with CODE and shows the script's opening words, on standard output if CODE is 0
call() {
    local code=$1 script=$2 got=0 shown=out
    shift 2
    "$SRC_DIR/scripts/$script" "$@" >out 2>err </dev/null || got=$?
    [ "$code" = 0 ] || shown=err
    [ "$got" = "$code" ] || { echo "$script $*: ended with $got, not $code"; cat out err; exit 1; }
    grep -qxF -- "$(sed -n '2s/^# //p' "$SRC_DIR/scripts/$script")" $shown || { echo "$script $*: does not say how it is called"; cat out err; exit 1; }
    [ ! -e begun ] || { echo "$script $*: began"; cat begun; exit 1; }
    count=$((count + 1))
}
for script in "$SRC_DIR"/scripts/*; do
    call 0 "$(basename "$script")" --help
    call 2 "$(basename "$script")" --nosuch
done
call 0 test -LE slow --help
call 2 test pair
call 2 test --nightly pair
call 2 test -LE slow --nigthly
call 2 coverage unit
call 2 analyse gcc clang
call 2 bench --svg
call 2 bench --svg --json
call 2 demo now
call 2 fuzz
call 2 fuzz nosuch 5
call 2 fuzz keep
call 2 fuzz keep all
call 2 fuzz der soon
call 2 load many
call 2 load 10 20 30
call 2 msan test_rd
call 2 setup --minimal --list
call 2 valgrind test_rd test_wr

# and goes on with what it knows
goes() { "$SRC_DIR/scripts/$@" >out 2>&1 && { echo "$*: without cmake?"; exit 1; }; [ -s begun ] || { echo "$*: refused"; cat out; exit 1; }; rm begun; }
export TROTH_NO_SETUP=1
goes test -LE slow -R pair --output-on-failure --repeat until-fail:2 -j2
goes test --nightly --no-tests=error
goes coverage -R unit
goes analyse cppcheck
goes bench --quick --svg out.svg --json
goes load 10 2
goes valgrind test_r
echo "$count calls answered as they should be"
