#!/bin/sh
# Install Assent from the checkout that this file is in, once per job, and print the path of the
# program. So the action and the code that it runs are one revision, and what it needs is what the
# lock of that revision says, byte by byte. ASSENT_EXTRAS names what else is needed, as pip does:
# data,models.
#
# It runs in the team's own folder. There `python -m pip` would take a logging.py of theirs for
# Python's; `python -I` does not look there, nor where PYTHONPATH says.
set -eu
# What is installed has no use for them.
unset GITHUB_TOKEN GH_TOKEN ASSENT_GITLAB_TOKEN ASSENT_LEDGER_TOKEN
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
if [ -z "${RUNNER_TEMP:-}" ]; then
    echo "assent: setting up: RUNNER_TEMP is not set; is this a step of GitHub Actions?" >&2
    exit 2
fi
locks=base
for name in $(printf '%s' "${ASSENT_EXTRAS:-}" | tr ',[:space:]' ' ?'); do
    case "$name" in
    data | models | objects | spark | demo) locks="$locks $name" ;;
    *)
        echo "assent: setting up: ASSENT_EXTRAS is no list of extras: $ASSENT_EXTRAS" >&2
        echo "  hint: write for example ASSENT_EXTRAS: data,models (and there are objects, spark, demo)" >&2
        exit 2
        ;;
    esac
done
place="$RUNNER_TEMP/assent-$(printf '%s' "$root $locks" | cksum | cut -d ' ' -f 1)"
if [ ! -f "$place/ready" ]; then
    python=""
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
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
    "$python" -I -m venv "$place/venv" >&2
    install() {
        env -u PYTHONPATH "$place/venv/bin/python" -I -m pip install \
            --quiet --disable-pip-version-check "$@" >&2
    }
    set --
    for name in $locks; do
        set -- "$@" --requirement "$root/requirements/$name.txt"
    done
    install --require-hashes "$@"
    install --no-deps --no-build-isolation "$root"
    # A folder with this program alone: the team's own `python` stays the one that is found. It has
    # no use for the team's PYTHONPATH, but the commands that it runs have.
    mkdir "$place/bin"
    cat >"$place/bin/assent" <<'EOF'
#!/bin/sh
exec "${0%/*}/../venv/bin/python" -I "${0%/*}/../venv/bin/assent" "$@"
EOF
    chmod +x "$place/bin/assent"
    : >"$place/ready"
fi
printf '%s\n' "$place/bin/assent"
