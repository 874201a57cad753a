"""A job of GitLab CI as one value, by its variables and, for a webhook, its event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from assent.core.context import Channel, Context
from assent.core.evidence import Run
from assent.forges.description import ReadFile
from assent.forges.variables import (
    EVENT,
    REF,
    RUN_ID,
    SHA,
    address_of,
    checked,
    commit_of,
    number_at,
    payload_of,
    text_at,
    wrong,
)

TRUSTED_SOURCES = frozenset({"push", "web", "schedule", "trigger", "api", "pipeline"})
"""Sources of pipelines whose configuration is that of the branch they run on."""
WAY = (
    "let a pipeline of the protected default branch do it (push, schedule, trigger, or a manual "
    "job there)"
)
WITHOUT_TOKENS = (
    "limit the variable {token} to the environments of the jobs that need it: docs/gitlab.md, "
    "scheduled retraining"
)
NEW_CHECKOUT = "GIT_STRATEGY: clone"
RUNNERS_SETTINGS = ".tmp/.gitlab-runner.ext.conf"
"""Beside the working tree: where a runner keeps addresses and credentials of a job."""
_BRANCH = re.compile(r"(?![/-])[^\s\x00-\x1f\x7f~^:?*\[\\]{1,1000}")
_PROJECT = re.compile(
    r"(?!.*(?:^|/)\.{1,2}(?:/|$))[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}"
    r"(?:/[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}){1,20}"
)
_JOB_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
_IID = re.compile(r"[1-9][0-9]{0,9}")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9 ${}()/._\\-]{1,255}")


def read_run(environ: Mapping[str, str]) -> Run | None:
    """The job that `environ` tells of; None for one without a pipeline."""
    if not environ.get("CI_PIPELINE_ID"):
        return None
    # A job that is retried gets another CI_JOB_ID; it is the same run all the same.
    name = environ.get("CI_JOB_NAME", "")
    address = environ.get("CI_JOB_URL") or None
    return Run(system="gitlab", id=f"{environ['CI_PIPELINE_ID']}/{name}", address=address)


def read_channel(environ: Mapping[str, str]) -> Channel | None:
    """Where a job writes what is not for its log, if `ASSENT_REPORTS` names a folder."""
    if not environ.get("ASSENT_REPORTS"):
        return None
    return Channel(
        reports=environ["ASSENT_REPORTS"], job=environ.get("CI_JOB_URL", "").rstrip("/") or None
    )


def read_context(environ: Mapping[str, str], read_file: ReadFile, run: Run | None) -> Context:
    """The job that `environ` tells of. Raises `UsageError` for what cannot be what it says."""
    server = address_of(environ, "CI_SERVER_URL") or "https://gitlab.com"
    event = checked(environ, "CI_PIPELINE_SOURCE", EVENT) or ""
    if run is not None and run.system == "gitlab":
        checked(environ, "CI_PIPELINE_ID", RUN_ID)
        if checked(environ, "CI_JOB_NAME", _JOB_NAME) is None:
            raise wrong("CI_JOB_NAME", "it is not set")
    hint = checked(environ, "CI_MERGE_REQUEST_IID", _IID)
    hint = hint or checked(environ, "ASSENT_MERGE_REQUEST", _IID)
    payload = payload_of(environ, "TRIGGER_PAYLOAD", read_file) if event == "trigger" else {}
    project = checked(environ, "CI_PROJECT_ID", RUN_ID)
    return Context(
        system="gitlab",
        event=event,
        payload=payload,
        ref=_gitlab_ref(environ),
        sha=checked(environ, "CI_COMMIT_SHA", SHA),
        repository=checked(environ, "CI_PROJECT_PATH", _PROJECT),
        server_url=server,
        api_url=_gitlab_api(environ, server),
        run=run,
        request=_merge_request(hint, payload),
        message=_note(payload),
        project=None if project is None else int(project),
        environment=checked(environ, "CI_ENVIRONMENT_NAME", _ENVIRONMENT),
        before=commit_of(environ.get("CI_COMMIT_BEFORE_SHA")),
        untrusted=_untrusted(event),
        way=WAY,
        without_tokens=WITHOUT_TOKENS,
        new_checkout=NEW_CHECKOUT,
        git_settings=(RUNNERS_SETTINGS,),
    )


def _untrusted(source: str) -> str:
    if source in TRUSTED_SOURCES:
        return ""
    if source == "merge_request_event":
        return "a merge-request pipeline runs what the change itself brings"
    return f"a pipeline of the source {source or 'unknown'!r} need not run what that branch has"


def _merge_request(hint: str | None, payload: Mapping[str, Any]) -> int | None:
    """The number of the merge request to ask GitLab about. A webhook can start a pipeline; then it
    is the one that the hook tells of.
    """
    if hint is not None:
        return int(hint)
    kind = text_at(payload, "object_kind")
    if kind == "note":
        return number_at(payload, "merge_request", "iid")
    return number_at(payload, "object_attributes", "iid") if kind == "merge_request" else None


def _note(payload: Mapping[str, Any]) -> int | None:
    """The number of the new note on a merge request that a webhook tells of."""
    is_new = text_at(payload, "object_attributes", "action") in (None, "create")
    kind = text_at(payload, "object_attributes", "noteable_type")
    if text_at(payload, "object_kind") != "note" or kind != "MergeRequest" or not is_new:
        return None
    return number_at(payload, "object_attributes", "id")


def _gitlab_ref(environ: Mapping[str, str]) -> str | None:
    """What a pipeline runs on. Only a branch pipeline has a branch, only one of a tag a tag."""
    branch = checked(environ, "CI_COMMIT_BRANCH", _BRANCH)
    tag = checked(environ, "CI_COMMIT_TAG", _BRANCH)
    if branch is not None:
        return f"refs/heads/{branch}"
    if tag is not None:
        return f"refs/tags/{tag}"
    return checked(environ, "CI_MERGE_REQUEST_REF_PATH", REF)


def _gitlab_api(environ: Mapping[str, str], server: str) -> str:
    """The API's address, below that of the server. A token goes there."""
    address = address_of(environ, "CI_API_V4_URL") or f"{server}/api/v4"
    if urlsplit(address)[:2] != urlsplit(server)[:2]:
        api = urlsplit(address).netloc
        raise wrong("CI_API_V4_URL", f"its host {api!r} is not that of {server}")
    return address
