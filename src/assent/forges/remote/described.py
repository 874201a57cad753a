"""The record of what was shown, where a status can say it in its description.

Nobody can change or delete a status there, and the forge sets its time.
"""

from __future__ import annotations

import re
from typing import Any, Generic, Protocol, TypeVar

from assent.core.digest import Digest
from assent.core.verdict import Decision
from assent.forges.comment_history import ShownBundle
from assent.forges.http_retries import RefusedError
from assent.forges.remote.comments import LONGEST_DESCRIPTION, RemoteComments, context
from assent.forges.remote.repository import Message, Remote, Request
from assent.ports import Notice

STATES = {
    Decision.PASSED: "success",
    Decision.BLOCKED: "failure",
    Decision.PENDING: "pending",
}
_SHOWN = re.compile(
    r"(?:(?:passed|blocked|pending) · (?P<bundle>sha256:[0-9a-f]{64})|changing)"
    r" · #(?P<number>[0-9]{1,10})(?: · .*)?",
    re.DOTALL,
)


class Status(Protocol):
    """A status of a commit."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def state(self) -> str:
        """What it says."""

    @property
    def context(self) -> str:
        """What it is called."""

    @property
    def created_at(self) -> str:
        """When it was posted, as the forge writes times."""

    @property
    def description(self) -> str | None:
        """What it says to people."""

    @property
    def creator(self) -> Any:
        """The account that has posted it."""


R = TypeVar("R", bound=Request)
M = TypeVar("M", bound=Message)
S = TypeVar("S", bound=Status)


class DescribedComments(RemoteComments[R, M], Generic[R, M, S]):
    """Messages with such a record. `status` is what the API answers."""

    def __init__(
        self, remote: Remote, shape: type[M], status: type[S], *, run_address: str | None
    ) -> None:
        super().__init__(remote, shape, run_address=run_address)
        self._status = status
        self._statuses: dict[str, list[S]] = {}

    def sights(self, model: str, number: int, revision: str) -> list[ShownBundle]:
        """See `RemoteComments.sights`. Anybody with a token of the repository can post a status."""
        return [
            ShownBundle(bundle=_bundle(shown), at=self._at(status))
            for status, shown in self._recorded(model, number, revision)
        ]

    def pass_on(self, number: int, revision: str, notice: Notice) -> None:
        """Say the verdict at a commit of the merge queue, too: the queue waits for the status
        there. Nobody reviews that commit, so nothing is bound to it.
        """
        self._write(number, revision, notice)

    def _record(self, request: R, revision: str, notice: Notice) -> bool:
        return self._write(request.number, revision, notice)

    def _end(self, request: R, revision: str, model: str, why: str | None = None) -> None:
        description = " · ".join(["changing", f"#{request.number}", *([why] if why else [])])
        wanted = ("pending", description[:LONGEST_DESCRIPTION])
        self._write_status(request.number, revision, model, wanted)

    def _write(self, number: int, revision: str, notice: Notice) -> bool:
        """Whether the status was written now. The newest may say it already."""
        wanted = (STATES[notice.decision], _description(number, notice))
        # What was read before is enough to see that the newest says another thing, not that it
        # still says this.
        model = notice.model
        if self._says(number, revision, model, wanted) is not None:
            self._statuses.pop(revision, None)
            if self._says(number, revision, model, wanted) is not None:
                return False
        self._write_status(number, revision, model, wanted)
        return True

    def _says(self, number: int, revision: str, model: str, wanted: tuple[str, str]) -> S | None:
        """Our newest status, if it says what is wanted."""
        record = self._recorded(model, number, revision)
        newest = record[-1][0] if record else None
        is_there = newest is not None and (newest.state, newest.description) == wanted
        return newest if is_there else None

    def _write_status(
        self, number: int, revision: str, model: str, wanted: tuple[str, str]
    ) -> None:
        doing = f"writing the status of {revision[:12]}"
        state, description = wanted
        body = {"state": state, "context": context(model), "description": description}
        if self._run_address is not None:
            body["target_url"] = self._run_address

        def find() -> S | None:
            self._statuses.pop(revision, None)
            return self._says(number, revision, model, wanted)

        path = self._remote.path("statuses", revision)
        created = self._remote.api.write("POST", path, body, self._status, doing=doing, find=find)
        self._statuses.pop(revision, None)
        self._remote.check_own(created.creator, doing=doing)

    def _recorded(self, model: str, number: int, revision: str) -> list[tuple[S, re.Match[str]]]:
        """Our own statuses of a model and a pull request, oldest first, as what they say."""
        return [
            (status, shown)
            for status in self._read_statuses(revision)
            if status.context == context(model)
            and status.creator is not None
            and status.creator.id == self._remote.own.id
            and (shown := _SHOWN.fullmatch(status.description or "")) is not None
            and int(shown["number"]) == number
        ]

    def _read_statuses(self, revision: str) -> list[S]:
        """All statuses of a revision, oldest first; none if the forge does not have it."""
        if revision not in self._statuses:
            path = self._remote.path("commits", revision, "statuses")
            doing = f"reading the statuses of {revision[:12]}"
            try:
                statuses = list(self._remote.api.pages(path, self._status, doing=doing))
            except RefusedError as error:
                if error.status not in (404, 422):
                    raise
                statuses = []
            self._statuses[revision] = sorted(
                statuses, key=lambda status: (self._at(status), status.id)
            )
        return self._statuses[revision]

    def _at(self, status: S) -> str:
        return self.timestamp(status.created_at, "reading the statuses")


def _bundle(shown: re.Match[str]) -> Digest | None:
    bundle = shown["bundle"]
    return None if bundle is None else Digest(bundle)


def _description(number: int, notice: Notice) -> str:
    """The decision, the bundle and the pull request, which are read again; then the sentence, if
    there is room for it.
    """
    record = f"{notice.decision.value} · {notice.bundle} · #{number}"
    sentence = " ".join(notice.sentence.split())
    shown = f"{record} · {sentence}"
    return shown if sentence and len(shown) <= LONGEST_DESCRIPTION else record
