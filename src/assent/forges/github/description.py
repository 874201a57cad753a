"""What is known of GitHub before it is asked anything."""

from __future__ import annotations

from collections.abc import Mapping

from assent.forges.description import ContextReader, Description
from assent.forges.opening import Opening
from assent.ports import Credentials, ForgeFiles

CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in this order. Only the first that is there counts."""

REGISTRY = "ghcr.io"
_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")


def _is_run(environ: Mapping[str, str]) -> bool:
    return environ.get("GITHUB_ACTIONS") == "true"


def _registry_login(host: str, environ: Mapping[str, str]) -> Credentials | None:
    token = next((environ[name] for name in _TOKENS if environ.get(name)), None)
    if host != REGISTRY or token is None:
        return None
    actor = environ.get("GITHUB_ACTOR", "github-actions")
    return Credentials(username=actor, password=token, origin="the token of the job")


def _context() -> ContextReader:
    from assent.forges.github import context

    return context


def _opening() -> Opening:
    from assent.forges.github import opening

    return opening


GITHUB = Description(
    name="github",
    ci="GitHub Actions",
    variables=("GITHUB_",),
    tokens=_TOKENS,
    files=ForgeFiles(guarding=(".github/workflows", *CODEOWNERS), folders=(".github",)),
    is_run=_is_run,
    registry_login=_registry_login,
    context=_context,
    opening=_opening,
)
