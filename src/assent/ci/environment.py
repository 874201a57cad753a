"""The environment of the CI run as one value. All of it is untrusted text until it was checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from assent.core.evidence import Run
from assent.errors import PolicyError, UsageError

MAX_PAYLOAD_BYTES = 26_214_400
"""25 MiB: the largest event that GitHub sends."""
TRUSTED_EVENTS = frozenset({"push", "schedule", "workflow_dispatch", "workflow_run"})
"""Events whose workflow file is that of the branch they run on, not that of a change."""
TRUSTED_SOURCES = frozenset({"push", "web", "schedule", "trigger", "api", "pipeline"})
"""Sources of GitLab's pipelines whose configuration is that of the branch they run on."""

TOKENS = ("GITHUB_TOKEN", "GH_TOKEN", "ASSENT_GITLAB_TOKEN", "ASSENT_LEDGER_TOKEN")
"""What Assent acts with."""

_EVENT = re.compile(r"[a-z][a-z_]{0,99}")
_REF = re.compile(r"refs/[^\s\x00-\x1f\x7f~^:?*\[\\]{1,1000}")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_RUN_ID = re.compile(r"[0-9]{1,19}")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_BRANCH = re.compile(r"(?![/-])[^\s\x00-\x1f\x7f~^:?*\[\\]{1,1000}")
_PROJECT = re.compile(
    r"(?!.*(?:^|/)\.{1,2}(?:/|$))[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}"
    r"(?:/[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}){1,20}"
)
_JOB_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
_IID = re.compile(r"[1-9][0-9]{0,9}")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9 ${}()/._\\-]{1,255}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_GITHUB_WAY = (
    "let a workflow on the default branch do it (push, workflow_run, schedule or "
    "workflow_dispatch); `assent init --github` writes such workflows"
)
_GITLAB_WAY = (
    "let a pipeline of the protected default branch do it (push, schedule, trigger, or a manual "
    "job there)"
)

ReadFile = Callable[[str, int], bytes]
"""The first bytes of a file, at most as many as are asked for. Raises `OSError`."""


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """The files through which a job speaks to the next ones and to people: `output` and `summary`
    of a step of GitHub Actions, or the folder of `reports` of a job on GitLab, whose page is `job`.
    """

    output: str | None = None
    summary: str | None = None
    reports: str | None = None
    job: str | None = None


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The run that Assent is part of. `system` is None outside CI.

    `event` and `payload` say what woke the run up. They say which pull request or run to ask the
    forge about, never what is true of it; so does `hint`, the number of a merge request of GitLab.
    `event` is there the source of the pipeline, `environment` the one that the job deploys to.
    `before` is what was there before a push, where the run says so.
    `tokens` are the variables with tokens of ours that this process was given, `temporary` is the
    folder in which the runner keeps files of the job.
    """

    system: str | None = None
    event: str = ""
    payload: dict[str, Any] = {}
    ref: str | None = None
    sha: str | None = None
    repository: str | None = None
    server_url: str | None = None
    api_url: str | None = None
    run: Run | None = None
    channel: Channel | None = None
    hint: int | None = None
    project: int | None = None
    environment: str | None = None
    before: str | None = None
    tokens: tuple[str, ...] = ()
    temporary: str | None = None

    @property
    def exposed(self) -> tuple[str, ...]:
        """The tokens that whatever runs beside this process could read, and that may be able to
        write: only the code of a branch gets such ones.
        """
        can_write = {"github": TRUSTED_EVENTS, "gitlab": TRUSTED_SOURCES}
        return self.tokens if self.event in can_write.get(self.system or "", ()) else ()

    def distrust(self, default_branch: str | None) -> str | None:
        """Why nothing may be decided in this run, or None if it may.

        `default_branch` is what the forge says, None if it does not.
        """
        if self.system in (None, "ci"):
            return None
        if self.system == "github" and self.event not in TRUSTED_EVENTS:
            return f"the event {self.event or 'unknown'!r} can run what the change itself brings"
        if self.system == "gitlab" and self.event == "merge_request_event":
            return "a merge-request pipeline runs what the change itself brings"
        if self.system == "gitlab" and self.event not in TRUSTED_SOURCES:
            source = self.event or "unknown"
            return f"a pipeline of the source {source!r} need not run what that branch has"
        if default_branch is None:
            return "it is not known which branch is the default one"
        if self.ref != f"refs/heads/{default_branch}":
            return f"it runs on {self.ref or 'no branch'!r}, not on the branch {default_branch!r}"
        return None

    def is_trusted(self, default_branch: str | None) -> bool:
        """Whether decisions may be written from this run: it runs code of the default branch, or
        outside CI, where a person answers for it.
        """
        return self.distrust(default_branch) is None

    def require_trusted(self, default_branch: str | None, doing: str) -> None:
        """Raise `PolicyError` with the reason unless decisions may be written from this run."""
        reason = self.distrust(default_branch)
        if reason is not None:
            raise PolicyError(
                doing,
                f"decisions are written by code of the default branch only, and {reason}",
                hint=_GITLAB_WAY if self.system == "gitlab" else _GITHUB_WAY,
            )

    def number(self, *path: str) -> int | None:
        """The positive whole number at `path` of the payload, or None."""
        value = self._at(path)
        is_number = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return value if is_number else None

    def text(self, *path: str) -> str | None:
        """The text at `path` of the payload, or None."""
        value = self._at(path)
        return value if isinstance(value, str) else None

    @property
    def pull_number(self) -> int | None:
        """The number of the pull request that the event names; of an issue it is none."""
        if self.event == "issue_comment" and self._at(("issue", "pull_request")) is None:
            return None
        return self.number("pull_request", "number") or (
            self.number("issue", "number") if self.event == "issue_comment" else None
        )

    @property
    def merge_request(self) -> int | None:
        """The number of the merge request to ask GitLab about. A webhook can start a pipeline;
        then it is the one that the hook tells of.
        """
        if self.hint is not None or self.system != "gitlab":
            return self.hint
        if self.text("object_kind") == "note":
            return self.number("merge_request", "iid")
        of_hook = self.text("object_kind") == "merge_request"
        return self.number("object_attributes", "iid") if of_hook else None

    @property
    def note(self) -> int | None:
        """The number of the new note on a merge request that a webhook tells of."""
        is_new = self.text("object_attributes", "action") in (None, "create")
        kind = self.text("object_attributes", "noteable_type")
        if self.text("object_kind") != "note" or kind != "MergeRequest" or not is_new:
            return None
        return self.number("object_attributes", "id")

    def _at(self, path: tuple[str, ...]) -> Any:
        value: Any = self.payload
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value


def read_file(path: str, limit: int) -> bytes:
    """The first `limit` bytes of a file. Raises `OSError`."""
    with Path(path).open("rb") as file:
        return file.read(limit)


def read_context(environ: Mapping[str, str], read_file: ReadFile = read_file) -> Context:
    """The run that `environ` tells of. Raises `UsageError` for what cannot be what it says."""
    run = read_run(environ)
    if environ.get("GITHUB_ACTIONS") == "true":
        return _github(environ, read_file, run)
    if environ.get("GITLAB_CI") == "true":
        return _gitlab(environ, read_file, run)
    return Context(system=None if run is None else run.system, run=run)


def read_channel(environ: Mapping[str, str]) -> Channel | None:
    """Where the job writes what is not for its log: in GitHub Actions always, on GitLab where
    `ASSENT_REPORTS` names a folder; else None.
    """
    if environ.get("GITLAB_CI") == "true" and environ.get("ASSENT_REPORTS"):
        return Channel(
            reports=environ["ASSENT_REPORTS"], job=environ.get("CI_JOB_URL", "").rstrip("/") or None
        )
    if environ.get("GITHUB_ACTIONS") != "true":
        return None
    return Channel(
        output=environ.get("GITHUB_OUTPUT") or None,
        summary=environ.get("GITHUB_STEP_SUMMARY") or None,
    )


def read_run(environ: Mapping[str, str]) -> Run | None:
    """The CI run, or None outside CI.

    GitHub Actions and GitLab CI are known by their own variables; any other system can set
    `ASSENT_RUN_ID` (and `ASSENT_RUN_ATTEMPT`, `ASSENT_RUN_ADDRESS`).
    """
    if environ.get("ASSENT_RUN_ID"):
        return Run(
            system="ci",
            id=environ["ASSENT_RUN_ID"],
            attempt=_attempt(environ.get("ASSENT_RUN_ATTEMPT")),
            address=environ.get("ASSENT_RUN_ADDRESS") or None,
        )
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("GITHUB_RUN_ID"):
        server = environ.get("GITHUB_SERVER_URL", "https://github.com")
        repository = environ.get("GITHUB_REPOSITORY", "")
        return Run(
            system="github",
            id=environ["GITHUB_RUN_ID"],
            attempt=_attempt(environ.get("GITHUB_RUN_ATTEMPT")),
            address=f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}",
        )
    if environ.get("GITLAB_CI") == "true" and environ.get("CI_PIPELINE_ID"):
        # A job that is retried gets another CI_JOB_ID; it is the same run all the same.
        name = environ.get("CI_JOB_NAME", "")
        address = environ.get("CI_JOB_URL") or None
        return Run(system="gitlab", id=f"{environ['CI_PIPELINE_ID']}/{name}", address=address)
    return None


def _attempt(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else 1


def _github(environ: Mapping[str, str], read_file: ReadFile, run: Run | None) -> Context:
    server = _address(environ, "GITHUB_SERVER_URL") or "https://github.com"
    _checked(environ, "GITHUB_RUN_ID", _RUN_ID)
    payload = _payload(environ, "GITHUB_EVENT_PATH", read_file)
    return Context(
        system="github",
        event=_checked(environ, "GITHUB_EVENT_NAME", _EVENT) or "",
        payload=payload,
        before=_commit(payload.get("before")),
        ref=_checked(environ, "GITHUB_REF", _REF),
        sha=_checked(environ, "GITHUB_SHA", _SHA),
        repository=_checked(environ, "GITHUB_REPOSITORY", _REPOSITORY),
        server_url=server,
        api_url=_api(environ, server),
        run=run,
        channel=read_channel(environ),
        tokens=tuple(name for name in TOKENS if environ.get(name)),
        temporary=environ.get("RUNNER_TEMP") or None,
    )


def _gitlab(environ: Mapping[str, str], read_file: ReadFile, run: Run | None) -> Context:
    server = _address(environ, "CI_SERVER_URL") or "https://gitlab.com"
    event = _checked(environ, "CI_PIPELINE_SOURCE", _EVENT) or ""
    if run is not None and run.system == "gitlab":
        _checked(environ, "CI_PIPELINE_ID", _RUN_ID)
        if _checked(environ, "CI_JOB_NAME", _JOB_NAME) is None:
            raise _wrong("CI_JOB_NAME", "it is not set")
    hint = _checked(environ, "CI_MERGE_REQUEST_IID", _IID)
    hint = hint or _checked(environ, "ASSENT_MERGE_REQUEST", _IID)
    project = _checked(environ, "CI_PROJECT_ID", _RUN_ID)
    return Context(
        system="gitlab",
        event=event,
        payload=_payload(environ, "TRIGGER_PAYLOAD", read_file) if event == "trigger" else {},
        ref=_gitlab_ref(environ),
        sha=_checked(environ, "CI_COMMIT_SHA", _SHA),
        repository=_checked(environ, "CI_PROJECT_PATH", _PROJECT),
        server_url=server,
        api_url=_gitlab_api(environ, server),
        run=run,
        hint=None if hint is None else int(hint),
        project=None if project is None else int(project),
        environment=_checked(environ, "CI_ENVIRONMENT_NAME", _ENVIRONMENT),
        before=_commit(environ.get("CI_COMMIT_BEFORE_SHA")),
        tokens=tuple(name for name in TOKENS if environ.get(name)),
    )


def _commit(text: object) -> str | None:
    """A commit that a run names; None for anything else. Zeros stand for none."""
    is_one = isinstance(text, str) and _SHA.fullmatch(text) is not None and set(text) != {"0"}
    return text if is_one and isinstance(text, str) else None


def _gitlab_ref(environ: Mapping[str, str]) -> str | None:
    """What a pipeline runs on. Only a branch pipeline has a branch, only one of a tag a tag."""
    branch = _checked(environ, "CI_COMMIT_BRANCH", _BRANCH)
    tag = _checked(environ, "CI_COMMIT_TAG", _BRANCH)
    if branch is not None:
        return f"refs/heads/{branch}"
    if tag is not None:
        return f"refs/tags/{tag}"
    return _checked(environ, "CI_MERGE_REQUEST_REF_PATH", _REF)


def _gitlab_api(environ: Mapping[str, str], server: str) -> str:
    """The API's address, below that of the server. A token goes there."""
    found = _address(environ, "CI_API_V4_URL") or f"{server}/api/v4"
    if urlsplit(found)[:2] != urlsplit(server)[:2]:
        api = urlsplit(found).netloc
        raise _wrong("CI_API_V4_URL", f"its host {api!r} is not that of {server}")
    return found


def _checked(environ: Mapping[str, str], name: str, form: re.Pattern[str]) -> str | None:
    """The variable, None if it is not set or empty."""
    text = environ.get(name) or None
    if text is not None and form.fullmatch(text) is None:
        raise _wrong(name, f"{text[:200]!r} is not of the form it must have")
    return text


def _wrong(name: str, problem: str) -> UsageError:
    return UsageError(
        f"reading {name} of the CI run",
        problem,
        hint="the runner sets it; a workflow must not set it to something else",
    )


def _address(environ: Mapping[str, str], name: str) -> str | None:
    """An `https` address, or any of this machine. Raises `UsageError`."""
    text = environ.get(name) or None
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _wrong(name, f"{text[:200]!r} is no address") from None
    is_plain = text.isascii() and text.isprintable() and " " not in text
    if not is_plain or not host or parts.username or parts.query or parts.fragment:
        raise _wrong(name, f"{text[:200]!r} is no plain address")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise _wrong(name, f"{text[:200]!r} is not https, so a token would be readable on the way")
    return text.rstrip("/")


def _api(environ: Mapping[str, str], server: str) -> str:
    """The API's address: of the server itself, or of its `api.` host. A token goes there."""
    host = urlsplit(server).hostname or ""
    found = _address(environ, "GITHUB_API_URL")
    if found is None:
        return "https://api.github.com" if host == "github.com" else f"{server}/api/v3"
    api = urlsplit(found).hostname or ""
    if api not in (host, f"api.{host}") and not (api in _LOOPBACK and host in _LOOPBACK):
        raise _wrong("GITHUB_API_URL", f"its host {api!r} is not that of {server}")
    return found


def _payload(environ: Mapping[str, str], name: str, read_file: ReadFile) -> dict[str, Any]:
    """The event in the file that the variable names."""
    path = environ.get(name)
    if not path:
        return {}
    try:
        content = read_file(path, MAX_PAYLOAD_BYTES + 1)
    except OSError as error:
        raise _wrong(name, error.strerror or str(error)) from None
    if len(content) > MAX_PAYLOAD_BYTES:
        raise _wrong(name, f"the event is larger than {MAX_PAYLOAD_BYTES:,} bytes")
    try:
        payload = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(name, f"the event is no JSON ({error})") from None
    if not isinstance(payload, dict):
        raise _wrong(name, "the event is no JSON object")
    return payload
