"""Settings of a clone by which Git runs programs, or speaks to somebody else than it seems."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from assent.git.process import GitError
from assent.git.repository import Repository

_STEERING = re.compile(
    r"core\.(?:fsmonitor|hookspath|sshcommand|gitproxy|editor|pager|askpass|worktree"
    r"|alternaterefscommand)"
    r"|include\.path|includeif\..*\.path|extensions\.worktreeconfig|alias\..*"
    r"|filter\..*\.(?:clean|smudge|process)"
    r"|diff\.(?:external|.*\.(?:command|textconv))|merge\..*\.driver"
    r"|credential\.(?:.*\.)?helper|gpg\.(?:.*\.)?program|gpg\.ssh\.defaultkeycommand"
    r"|gc\.recentobjectshook|hook\..*\.command"
    r"|remote\..*\.(?:uploadpack|receivepack|vcs|proxy|pushurl)|uploadpack\.packobjectshook"
    r"|url\..*\.(?:insteadof|pushinsteadof)|protocol\.(?:.*\.)?allow"
    r"|fetch\.bundleuri|bundle\..*\.uri"
    r"|http\.(?:.*\.)?(?:proxy|sslverify|curloptresolve)",
    re.DOTALL,
)
_OF_VALUE = re.compile(r"remote\..*\.url\n[A-Za-z0-9]+::.*|submodule\..*\.update\n!.*", re.DOTALL)
"""What steers by its value: an address such as `ext::` that is a program's, and a command."""
_LFS = re.compile(r"filter\.lfs\.(?:clean|smudge|process)\ngit-lfs [a-z -]*(?:%f)?")
_OFF = frozenset({"core.fsmonitor\nfalse", "core.worktree\n"})


def steering(repository: Repository, known: Sequence[str] = ()) -> tuple[str, ...]:
    """The settings that this clone has of its own by which Git would run a program, read another
    file of settings, or go to another address: whoever had the clone before may have left them.

    What Git LFS writes is none of them, nor is the reading of the files of settings in `known`:
    paths whose last part may have a `*`, of which one that is not absolute is added to the path of
    the working tree as it is. Hooks are not, either: no Git of ours runs any.
    """
    doing = "reading the settings of this clone"
    try:
        shown = repository.names("config", "--local", "-z", "--list", doing=doing)
    except GitError as error:
        if error.code == 1:
            return ()
        raise
    steering_settings = [
        setting
        for setting in shown
        if _STEERING.fullmatch(setting.partition("\n")[0]) or _OF_VALUE.fullmatch(setting)
    ]
    return tuple(
        sorted(
            {
                setting.partition("\n")[0]
                for setting in steering_settings
                if not _is_known(setting, repository, known)
            }
        )
    )


def _is_known(setting: str, repository: Repository, known: Sequence[str]) -> bool:
    """Whether the runner's own checkout has written it, or Git LFS."""
    key, _, value = setting.partition("\n")
    if setting in _OFF or _LFS.fullmatch(setting):
        return True
    if not key.startswith("include"):
        return False
    path = Path(os.path.normpath(value))
    places = [Path(file if file.startswith("/") else f"{repository.top}{file}") for file in known]
    return any(
        path.parent == place.parent and fnmatchcase(path.name, place.name) for place in places
    )
