#!/bin/sh
# Install Assent from the checkout that this file is in, once per job, and print the path of the
# program. So the action and the code that it runs are one revision. ASSENT_EXTRAS names what else
# is needed, as pip does: data,models.
set -eu
unset GITHUB_TOKEN GH_TOKEN # what is installed has no use for it
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
if [ -z "${RUNNER_TEMP:-}" ]; then
    echo "assent: setting up: RUNNER_TEMP is not set; is this a step of GitHub Actions?" >&2
    exit 2
fi
case "${ASSENT_EXTRAS:-}" in
*[!a-z,]*)
    echo "assent: setting up: ASSENT_EXTRAS is no list of extras: $ASSENT_EXTRAS" >&2
    echo "  hint: write for example ASSENT_EXTRAS: data,models" >&2
    exit 2
    ;;
*) ;; # names, commas, or nothing
esac
wanted="$root${ASSENT_EXTRAS:+[$ASSENT_EXTRAS]}"
place="$RUNNER_TEMP/assent-$(printf '%s' "$wanted" | cksum | cut -d ' ' -f 1)"
if [ ! -f "$place/ready" ]; then
    python=""
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            python=$name
            break
        fi
    done
    if [ -z "$python" ]; then
        echo "assent: setting up: the runner has no Python 3.11 or newer" >&2
        echo "  hint: put a step with actions/setup-python before it" >&2
        exit 2
    fi
    rm -rf "$place"
    "$python" -m venv "$place/venv" >&2
    "$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$wanted" >&2
    # A folder with this program alone: the team's own `python` stays the one that is found.
    mkdir "$place/bin"
    ln -s "$place/venv/bin/assent" "$place/bin/assent"
    : >"$place/ready"
fi
printf '%s\n' "$place/bin/assent"
