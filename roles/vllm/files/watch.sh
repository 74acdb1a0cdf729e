#!/bin/sh
# Run a program again and again, for supervisord, which has no timers. Arguments: an environment file, seconds between two runs, and the program.
set -eu
environment=$1 seconds=$2
shift 2
set -a
. "$environment"
set +a
while sleep "$seconds"; do
    "$@" || true
done
