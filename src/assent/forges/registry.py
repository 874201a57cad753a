"""The forges with a CI of their own: each is a folder here, and one line below."""

from __future__ import annotations

from collections.abc import Mapping

from assent.forges.description import Description
from assent.forges.github.description import GITHUB
from assent.forges.gitlab.description import GITLAB
from assent.ports import ForgeFiles

FORGES = {one.name: one for one in (GITHUB, GITLAB)}
"""By name. A run is of the first that knows it."""
_FILES: tuple[ForgeFiles, ...] = tuple(one.files for one in FORGES.values())
FILES = ForgeFiles(
    guarding=tuple(dict.fromkeys(path for one in _FILES for path in one.guarding)),
    folders=tuple(dict.fromkeys(name for one in _FILES for name in one.folders)),
    names=tuple(dict.fromkeys(name for one in _FILES for name in one.names)),
)
"""Of all forges: a repository is often mirrored, and whoever changes what guards it there has
changed it as well.
"""
TOKENS = tuple(dict.fromkeys(name for one in FORGES.values() for name in one.tokens))
"""The variables with what Assent acts with."""


def of_run(environ: Mapping[str, str]) -> Description | None:
    """The forge whose CI this is a run of, if it is one."""
    return next((one for one in FORGES.values() if one.is_run(environ)), None)
