#!/bin/sh
# pip of a simulated job: installs nothing, everything else is the real one.
if [ "$1" = install ]; then
    shift
    printf 'hubsim: pip does not install: %s\n' "$*" >&2
    exit 0
fi
exec python3 -m pip "$@"
