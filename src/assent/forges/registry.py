"""The forges with a CI of their own: each is a folder here, and one line below."""

from __future__ import annotations

from collections.abc import Mapping

from assent.forges.description import Description
from assent.forges.github.description import GITHUB
from assent.forges.gitlab.description import GITLAB
from assent.ports import Credentials, ForgeFiles

FORGES = {forge.name: forge for forge in (GITHUB, GITLAB)}
"""By name. A run is of the first that knows it."""
_FILES: tuple[ForgeFiles, ...] = tuple(forge.files for forge in FORGES.values())
FILES = ForgeFiles(
    guarding=tuple(dict.fromkeys(path for files in _FILES for path in files.guarding)),
    folders=tuple(dict.fromkeys(name for files in _FILES for name in files.folders)),
    names=tuple(dict.fromkeys(name for files in _FILES for name in files.names)),
)
"""Of all forges: a repository is often mirrored, and whoever changes what guards it there has
changed it as well.
"""
TOKENS = tuple(dict.fromkeys(name for forge in FORGES.values() for name in forge.tokens))
"""The variables with what Assent acts with."""


def of_run(environ: Mapping[str, str]) -> Description | None:
    """The forge whose CI this is a run of, if it is one."""
    return next((forge for forge in FORGES.values() if forge.is_run(environ)), None)


def registry_login(environ: Mapping[str, str], host: str) -> Credentials | None:
    """Who a job of a forge's CI is to a container registry: to no other than the forge's own."""
    forge = of_run(environ)
    return None if forge is None else forge.registry_login(host, environ)
