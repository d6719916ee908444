# shellcheck shell=bash
# How a script of scripts/ is called is the comment it opens with; sourced by each, in the top folder, before it does anything:
# --help prints that comment, and misused WORD... says what is wrong with the call, and ends the script with 2.
usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "scripts/$(basename "$0")"; }
misused() {
    echo "$(basename "$0"): $*" >&2
    usage >&2
    exit 2
}
for word in "$@"; do
    [[ $word != --help && $word != -h ]] || { usage; exit 0; }
done

# ctest itself takes no notice of what it does not know, and would run everything.
for_ctest() {
    local word known
    [[ ${1:--} == -* ]] || misused "$1 is no option of ctest's"
    known=$(ctest --help 2>/dev/null) || return 0 # scripts/setup will bring it
    for word in "$@"; do
        [[ $word != --?* || $known =~ [[:space:],]"${word%%=*}"[[:space:]=] ]] || misused "$word is no option of ctest's"
    done
}
