"""What is known of GitLab before it is asked anything."""

from __future__ import annotations

from collections.abc import Mapping

from assent.forges.description import ContextReader, Description
from assent.forges.opening import Opening
from assent.ports import Credentials, ForgeFiles

CODEOWNERS = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where GitLab looks, in this order. Only the first that is there counts."""
PIPELINE = ".gitlab-ci.yml"


def _is_run(environ: Mapping[str, str]) -> bool:
    return environ.get("GITLAB_CI") == "true"


def _registry_login(host: str, environ: Mapping[str, str]) -> Credentials | None:
    user, password = environ.get("CI_REGISTRY_USER"), environ.get("CI_REGISTRY_PASSWORD")
    if host != environ.get("CI_REGISTRY", "").lower() or not user or not password:
        return None
    return Credentials(username=user, password=password, origin="the job's CI_REGISTRY_USER")


def _context() -> ContextReader:
    from assent.forges.gitlab import context

    return context


def _opening() -> Opening:
    from assent.forges.gitlab import opening

    return opening


GITLAB = Description(
    name="gitlab",
    ci="GitLab CI",
    variables=("CI_", "GITLAB_"),
    tokens=("ASSENT_GITLAB_TOKEN", "ASSENT_LEDGER_TOKEN"),
    files=ForgeFiles(guarding=(PIPELINE, *CODEOWNERS), folders=(".gitlab",), names=(PIPELINE,)),
    is_run=_is_run,
    registry_login=_registry_login,
    context=_context,
    opening=_opening,
)
