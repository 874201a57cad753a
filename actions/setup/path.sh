#!/bin/sh
# Make `assent` a command of the job's later steps.
set -eu
program=$("$(dirname -- "$0")/install.sh")
printf '%s\n' "$(dirname -- "$program")" >>"$GITHUB_PATH"
