#!/bin/sh
# Run Assent, installed from this checkout. The arguments go to it.
set -eu
program=$("$(dirname -- "$0")/install.sh")
exec "$program" "$@"
