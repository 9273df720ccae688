#!/bin/sh
# A test of make check: what the modules export and what they pull into every process that asks for a password.
# A module shows its pam_sm_* functions and nothing else, needs libpam and the C library alone, and is read-only after
# relocation; the programs never meet libpam. Runs in the build folder.
set -eu

NM=${NM:-nm} # libtool's may come with options
READELF=${READELF:-readelf}
failures=0

fail()
{
    echo "linkage: $1" >&2
    failures=$((failures + 1))
}

# file label expected actual
expect()
{
    [ "$3" = "$4" ] || fail "$1: $2 should be '$3', is '$4'"
}

exports_of()
{
    $NM -D --defined-only "$1" | sed 's/.* //; s/@.*//' | sort | tr '\n' ' '
}

# The dynamic loader belongs to the C library (some architectures name it), and a build for tests adds its sanitizers.
needed_by()
{
    "$READELF" -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' |
        sed 's/^libc\.musl-.*/libc.so.6/' | grep -Ev '^(ld-linux|ld64|libasan|libubsan|libclang_rt)' | sort | tr '\n' ' '
}

check_relro()
{
    "$READELF" -lW "$1" | grep -q GNU_RELRO || fail "$1: no RELRO segment"
    "$READELF" -d "$1" | grep -Eq 'BIND_NOW|FLAGS.*NOW' || fail "$1: RELRO is partial, symbols are bound late"
}

check_module()
{
    file=.libs/$1.so
    expect "$file" 'its exports' "$2" "$(exports_of "$file")"
    expect "$file" 'what it needs' 'libc.so.6 libpam.so.0 ' "$(needed_by "$file")"
    check_relro "$file"
}

check_program()
{
    check_relro "$1"
    case $(needed_by "$1") in
    *libpam*) fail "$1: links libpam" ;;
    esac
    "$READELF" -hW "$1" | grep -q 'Type: *DYN' || fail "$1: is no position-independent program"
}

check_module pam_cognito_code 'pam_sm_acct_mgmt pam_sm_authenticate pam_sm_setcred '
check_module pam_cognito_prepare 'pam_sm_authenticate pam_sm_setcred '
check_module pam_cognito_confirm 'pam_sm_authenticate pam_sm_setcred '
check_program pam-cognito-helper
check_program pam-cognito-command
check_program pam-cognito-check
expect pam-cognito-command 'what it needs' 'libc.so.6 ' "$(needed_by pam-cognito-command)"

[ "$failures" -eq 0 ]
