"""A run of GitHub Actions as one value, by its variables and its event."""

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
    LOOPBACK,
    REF,
    RUN_ID,
    SHA,
    address_of,
    attempt_of,
    checked,
    commit_of,
    number_at,
    payload_of,
    wrong,
)

TRUSTED_EVENTS = frozenset({"push", "schedule", "workflow_dispatch", "workflow_run"})
"""Events whose workflow file is that of the branch they run on, not that of a change."""
WAY = (
    "let a workflow on the default branch do it (push, workflow_run, schedule or "
    "workflow_dispatch); `assent init --github` writes such workflows"
)
WITHOUT_TOKENS = "take {token} out of the step that runs the team's commands"
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")


def read_run(environ: Mapping[str, str]) -> Run | None:
    """The run that `environ` tells of; None for one without a number."""
    if not environ.get("GITHUB_RUN_ID"):
        return None
    server = environ.get("GITHUB_SERVER_URL", "https://github.com")
    repository = environ.get("GITHUB_REPOSITORY", "")
    return Run(
        system="github",
        id=environ["GITHUB_RUN_ID"],
        attempt=attempt_of(environ.get("GITHUB_RUN_ATTEMPT")),
        address=f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}",
    )


def read_channel(environ: Mapping[str, str]) -> Channel:
    """Where a step writes what is not for its log."""
    return Channel(
        output=environ.get("GITHUB_OUTPUT") or None,
        summary=environ.get("GITHUB_STEP_SUMMARY") or None,
    )


def read_context(environ: Mapping[str, str], read_file: ReadFile, run: Run | None) -> Context:
    """The run that `environ` tells of. Raises `UsageError` for what cannot be what it says."""
    server = address_of(environ, "GITHUB_SERVER_URL") or "https://github.com"
    checked(environ, "GITHUB_RUN_ID", RUN_ID)
    payload = payload_of(environ, "GITHUB_EVENT_PATH", read_file)
    event = checked(environ, "GITHUB_EVENT_NAME", EVENT) or ""
    return Context(
        system="github",
        event=event,
        payload=payload,
        before=commit_of(payload.get("before")),
        ref=checked(environ, "GITHUB_REF", REF),
        sha=checked(environ, "GITHUB_SHA", SHA),
        repository=checked(environ, "GITHUB_REPOSITORY", _REPOSITORY),
        server_url=server,
        api_url=_api(environ, server),
        run=run,
        channel=read_channel(environ),
        woken_by=_woken_by(event, payload),
        git_settings=_git_settings(environ.get("RUNNER_TEMP") or ""),
        untrusted=_untrusted(event),
        way=WAY,
        without_tokens=WITHOUT_TOKENS,
    )


def _git_settings(temporary: str) -> tuple[str, ...]:
    """Where `actions/checkout` keeps credentials: in the folder for files of the job."""
    return (f"{temporary}/git-credentials-*",) if temporary.startswith("/") else ()


def _untrusted(event: str) -> str:
    if event in TRUSTED_EVENTS:
        return ""
    return f"the event {event or 'unknown'!r} can run what the change itself brings"


def _woken_by(event: str, payload: Mapping[str, Any]) -> Run | None:
    """The run whose end has started this one."""
    if event != "workflow_run":
        return None
    number, attempt = (number_at(payload, "workflow_run", key) for key in ("id", "run_attempt"))
    return Run(system="github", id=str(number), attempt=attempt or 0)


def _api(environ: Mapping[str, str], server: str) -> str:
    """The API's address: of the server itself, or of its `api.` host. A token goes there."""
    host = urlsplit(server).hostname or ""
    address = address_of(environ, "GITHUB_API_URL")
    if address is None:
        return "https://api.github.com" if host == "github.com" else f"{server}/api/v3"
    api = urlsplit(address).hostname or ""
    if api not in (host, f"api.{host}") and not (api in LOOPBACK and host in LOOPBACK):
        raise wrong("GITHUB_API_URL", f"its host {api!r} is not that of {server}")
    return address
