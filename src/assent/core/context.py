"""The run of CI that Assent is part of, and whether decisions may be written from it."""

from __future__ import annotations

from typing import Any

import msgspec

from assent.core.evidence import Run
from assent.errors import PolicyError


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """The files through which a job speaks to the next ones and to people: `output` and `summary`
    of a step, or the folder of `reports` of a job, whose page is `job`.
    """

    output: str | None = None
    summary: str | None = None
    reports: str | None = None
    job: str | None = None


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The run that Assent is part of. `system` is None outside CI, and `ci` in one that is of no
    forge.

    `event` and `payload` say what woke the run up. They say which change or run to ask the forge
    about, never what is true of it; so do `request` and `message`, the numbers of a request and of
    a comment on it, where the run says them itself. `woken_by` is the run whose end has started
    this one, where that is how it began. `environment` is the one that the job deploys to. `before`
    is what was there before a push, where the run says so. `tokens` are the variables with tokens
    of ours that this process was given. `git_settings` are the files of settings that the runner's
    own checkout has Git read: paths whose last part may have a `*`; one that is not absolute is
    added to the path of the working tree as it is.

    `untrusted` is why such an event may run what the change itself brings, empty where it runs what
    its branch has; `way` says how decisions are written instead, `without_tokens` how a job gets no
    token (`{token}`), and `new_checkout` how one begins with a checkout of its own.
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
    request: int | None = None
    message: int | None = None
    woken_by: Run | None = None
    project: int | None = None
    environment: str | None = None
    before: str | None = None
    tokens: tuple[str, ...] = ()
    git_settings: tuple[str, ...] = ()
    untrusted: str = "it is not known what its events run"
    way: str = ""
    without_tokens: str = ""
    new_checkout: str = ""

    @property
    def is_of_forge(self) -> bool:
        """Whether this is a run of the CI of a forge, which knows who did what."""
        return self.system not in (None, "ci")

    @property
    def exposed(self) -> tuple[str, ...]:
        """The tokens that whatever runs beside this process could read, and that may be able to
        write: only the code of a branch gets such ones.
        """
        return () if self.untrusted else self.tokens

    def distrust(self, default_branch: str | None) -> str | None:
        """Why nothing may be decided in this run, or None if it may.

        `default_branch` is what the forge says, None if it does not.
        """
        if not self.is_of_forge:
            return None
        if self.untrusted:
            return self.untrusted
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
                hint=self.way,
            )
