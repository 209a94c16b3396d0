# shellcheck shell=bash
#
# The results of a comparison, for scripts to source: a line for each, which is one of
#
#   ok NAME
#   FAILED NAME: WHY      and more of why on the lines below, indented
#   skip NAME
#
# and at the end `N passed, M failed`. The exit status is 0 if some passed and none failed, and else 1.
# `report.py` and `report.mjs` write such lines from Python and JavaScript.
#
#   report_start NAME           makes the folder $work, and has the script end with the counts
#   pass NAME                   prints a result
#   fail NAME WHY               prints one that failed
#   skip NAME                   says that it cannot be tried here
#   differ NAME WANTED GOT      the same as `fail`, with both of them below it
#   results_of COMMAND...       hands on what a program prints, and counts the results in it
#   heading TEXT
#
# A function `clean_up` of the script, if there is one, runs before the counts; it has to succeed.

# Set by report_start: all results so far.
REPORT=

report_start() { # NAME
    work=$(mktemp --directory --tmpdir "kliento-$1.XXXXXX")
    REPORT=$work/report
    : >"$REPORT"
    export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$PWD/interop/lib${PYTHONPATH:+:$PYTHONPATH}
    trap report__end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

report__end() {
    local status=$? passed failed skipped
    trap - EXIT
    trap '' INT TERM
    [[ $status -eq 0 ]] || fail "the script runs to its end" "exit status $status"
    if declare -F clean_up >/dev/null; then
        clean_up || fail "nothing is left running" "see above"
    fi
    passed=$(grep --count '^ok ' "$REPORT" || true)
    failed=$(grep --count '^FAILED ' "$REPORT" || true)
    skipped=$(grep --count '^skip ' "$REPORT" || true)
    rm -rf "$work"
    [[ $skipped -eq 0 ]] || printf '\n%s skipped\n' "$skipped"
    printf '\n%s passed, %s failed\n' "$passed" "$failed"
    [[ $passed -gt 0 && $failed -eq 0 ]] || exit 1
    exit 0
}

pass() { report__line "ok $1"; }

fail() { # NAME WHY
    local first=${2%%$'\n'*}
    report__line "FAILED $1: $first"
    [[ $first == "$2" ]] || indent "" "${2#*$'\n'}"
}

skip() { report__line "skip $1"; }

differ() { # NAME WANTED GOT
    report__line "FAILED $1: not as expected"
    indent "expected: " "$2"
    indent "got:      " "$3"
}

# One write, so that processes at the same time don't write into each other's lines.
report__line() { printf '%s\n' "$1" | tee --append "$REPORT"; }

# indent PREFIX TEXT: every line of the text, below the result that it belongs to.
indent() {
    local line
    while IFS= read -r line; do printf '       %s%s\n' "$1" "$line"; done <<<"$2"
}

results_of() { "$@" | tee --append "$REPORT"; }

heading() { printf '\n== %s\n' "$*"; }
