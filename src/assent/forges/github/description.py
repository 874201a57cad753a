"""What is known of GitHub before it is asked anything."""

from __future__ import annotations

from collections.abc import Mapping

from assent.forges.description import ContextReader, Description
from assent.forges.opening import Opening
from assent.ports import ForgeFiles

CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in this order. Only the first that is there counts."""


def _is_run(environ: Mapping[str, str]) -> bool:
    return environ.get("GITHUB_ACTIONS") == "true"


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
    tokens=("GITHUB_TOKEN", "GH_TOKEN"),
    files=ForgeFiles(guarding=(".github/workflows", *CODEOWNERS), folders=(".github",)),
    is_run=_is_run,
    context=_context,
    opening=_opening,
)
