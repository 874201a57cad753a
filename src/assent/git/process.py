"""One way to start Git, and the error that it ends with.

Git tells the processes that it starts, hooks above all, which repository it is in by variables
such as `GIT_DIR`. A Git process of ours may be meant for another one (the ledger's own), so none
of them is handed on: each finds its repository by its folder, or is told. See `environment`.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from assent.errors import OutsideError, UsageError
from assent.git.silence import Patience, watched

_CREDENTIALS = re.compile(r"://[^/@\s]+@")
_PREFIX = re.compile(r"^(?:(?:fatal|error|remote|warning): )+")
_BOILERPLATE = frozenset(
    {
        "Could not read from remote repository.",
        "Please make sure you have the correct access rights",
        "and the repository exists.",
    }
)
"""What Git adds to every cause; without it the cause itself is seen."""
_DENIALS = (
    *("protected", "declined", "denied", "not allowed", "Authentication failed"),
    *("could not read Username", "could not read Password", "error: 401", "error: 403"),
)
"""How servers say no; 404 may mean no as well, and that nothing is there."""

LOCAL_VARIABLES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
        # What `git rev-parse --local-env-vars` leaves out and is of one repository or one push.
        "GIT_NAMESPACE",
        "GIT_QUARANTINE_PATH",
        # How paths are read that are given to Git: ours are names.
        "GIT_GLOB_PATHSPECS",
        "GIT_ICASE_PATHSPECS",
        "GIT_NOGLOB_PATHSPECS",
    }
)
"""Variables of the repository that Assent was started in, which no Git process of ours gets.

Two of `git rev-parse --local-env-vars` are not here: `GIT_CONFIG_PARAMETERS` (what `git -c` was
given) and `GIT_CONFIG_COUNT`, with its keys and values. They name no repository; they are how a
user or a CI job hands over credentials, addresses and `safe.directory`. Git itself keeps these
two, and no other, when it goes from a repository into its submodule.
"""

_QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    # A digest is of what was committed, not of what this clone would like to see instead. Grafts
    # are put aside by naming a file that cannot be; without one, Git advises against grafts in
    # every message.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": f"{os.devnull}/none",
}
_OUR_SETTINGS = (
    ("core.hooksPath", os.devnull),  # hooks are for what people do
    ("core.fsmonitor", "false"),  # whether a file has changed is read from the file
    ("i18n.logOutputEncoding", "UTF-8"),
    ("log.showSignature", "false"),  # its lines would be taken for authors
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("push.recurseSubmodules", "no"),
)
"""Settings without which Git says something else than what it was asked for."""


class GitError(OutsideError):
    """Git ended with an error: `code` is its exit code, `stderr` what it said, `stdout` what it
    had written.
    """

    def __init__(self, doing: str, stderr: str, *, code: int = 128, stdout: str = "") -> None:
        lines = said(stderr)
        causes = [line for line in lines if line not in _BOILERPLATE] or lines
        super().__init__(doing, "git says: " + ("; ".join(causes[-3:]) or "nothing"))
        self.stderr = stderr
        self.stdout = stdout
        self.code = code

    @property
    def is_denied(self) -> bool:
        """Whether the account that asked may not do this, or is nobody."""
        return any(word in self.stderr for word in _DENIALS)

    @property
    def may_be_of_damage(self) -> bool:
        """Whether Git may have failed because of what the repository is like, here: it was not
        ended by a signal, and nobody has said no.
        """
        return self.code > 0 and not self.is_denied


class EndedError(OutsideError):
    """Git ended before it had answered, and nobody knows of what."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(
            f"reading Git objects in {folder}",
            f"git ended while reading {name}",
            hint="is the remote still reachable?",
        )


class SilentError(GitError):
    """Nobody has answered for too long, and Git was ended: what it was to do may have been done."""

    def __init__(self, doing: str, remote: str, lasted_s: float) -> None:
        super().__init__(doing, "", code=-9)
        who = remote or "whoever Git waits for"
        self.problem = f"{who} has not answered for {lasted_s:g} seconds"
        self.args = (f"{doing}: {self.problem}",)


def said(stderr: str) -> list[str]:
    """The lines of what Git, or a server through it, said: without credentials, and without what
    a terminal would obey. The server may be anybody's.
    """
    shown = _CREDENTIALS.sub("://[redacted]@", stderr)
    plain = ("".join(c if c.isprintable() else " " for c in line) for line in shown.splitlines())
    lines = (_PREFIX.sub("", line.strip()).strip() for line in plain)
    return [line[:_MAX_LINE] for line in lines if line and line != "remote:"]


_MAX_LINE = 500
"""Characters of one line that are shown."""


def environment(
    given: Mapping[str, str] | None = None, settings: Sequence[tuple[str, str]] = ()
) -> dict[str, str]:
    """The environment of a Git process: that of this one without what names a repository, and
    with `given`, which may name the one that is meant. `settings` are settings of Git: there no
    list of processes shows them, and they count after those of every file.
    """
    env = {**without_repository(os.environ), **_QUIET, **(given or {})}
    count = env.get("GIT_CONFIG_COUNT", "")
    start = int(count) if count.isascii() and count.isdigit() else 0
    ours = [*_OUR_SETTINGS, *settings]
    for number, (key, value) in enumerate(ours, start):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    return {**env, "GIT_CONFIG_COUNT": str(start + len(ours))}


def without_repository(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without what names a repository."""
    return {name: value for name, value in environ.items() if name not in LOCAL_VARIABLES}


def told(*names: str) -> dict[str, str]:
    """What this process itself was told by these variables of Git, as far as it was."""
    return {name: os.environ[name] for name in names if os.environ.get(name)}


_PATIENT = Patience()


def git(
    arguments: Sequence[str],
    *,
    folder: Path,
    doing: str,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    settings: Sequence[tuple[str, str]] = (),
    pass_fds: Sequence[int] = (),
    patience: Patience = _PATIENT,
) -> bytes:
    """Run Git in `folder` and return what it wrote; `env` and `settings` as for `environment`.
    Raises `GitError`, which is a `SilentError` when nobody answers for longer than `patience`.
    """
    try:
        process = subprocess.Popen(
            ["git", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(env, settings),
            pass_fds=pass_fds,
        )
    except FileNotFoundError:
        if not folder.is_dir():
            raise UsageError(doing, f"there is no folder {folder}") from None
        raise UsageError(doing, "git is not installed", hint="install git and try again") from None
    except OSError as error:
        raise OutsideError(doing, f"git cannot be run in {folder}: {error.strerror}") from None
    with process, watched(process, patience, doing) as silence:
        try:
            stdout, stderr = process.communicate(stdin)
        except BaseException:
            process.kill()
            raise
    if silence.is_given_up:
        raise SilentError(doing, patience.remote, silence.lasted_s)
    if process.returncode != 0:
        raise GitError(
            doing,
            stderr.decode(errors="replace"),
            code=process.returncode,
            stdout=stdout.decode(errors="replace"),
        )
    return stdout
