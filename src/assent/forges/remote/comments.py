"""What reviewers were shown, and when: the message, and the record that keeps its history.

A message can be edited, so it decides nothing. Each time another bundle is shown, a status of the
request's head is posted that nobody can change or delete and whose time the forge sets: our own
statuses are the record of which bundle the message showed at any time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from assent.core.digest import Digest
from assent.errors import OutsideError
from assent.forges.comment_history import ShownBundle, bundle_at
from assent.forges.remote.repository import Message, Remote, Request
from assent.ports import Notice

R = TypeVar("R", bound=Request)
M = TypeVar("M", bound=Message)

ATTEMPTS = 3
"""How often a notice is shown while other runs put theirs in its place."""
LONGEST_DESCRIPTION = 140
"""Of a status, in characters."""


class RemoteComments(ABC, Generic[R, M]):
    """The messages and statuses of one repository, each read once. `one_at_a_time` tells how runs
    of a request are made to wait for each other, `shape` is what the API answers for a message,
    `run_address` is where a status leads to.
    """

    one_at_a_time: str
    in_order: Mapping[str, str] = {}
    """What asks for messages oldest first, where that is not the usual order."""

    def __init__(self, remote: Remote, shape: type[M], *, run_address: str | None) -> None:
        self._remote = remote
        self._shape = shape
        self._run_address = run_address
        self._dialect = remote.dialect
        self._messages: dict[int, list[M]] = {}

    def messages(self, number: int, *, anew: bool = False) -> Sequence[M]:
        """All messages of a request, oldest first, those of the forge included."""
        if anew or number not in self._messages:
            self._messages[number] = sorted(self._read(number), key=lambda message: message.id)
        return self._messages[number]

    def bundle_at(self, model: str, number: int, revision: str, at: str) -> Digest | None:
        """The bundle that was shown there at some time, or None if that is not known."""
        return bundle_at(self.sights(model, number, revision), at)

    def show(self, request: R, revision: str, notice: Notice) -> str:
        """Show a notice on a request, then record that its bundle was shown there.

        Where another bundle was shown before, its time is ended first: between the message and the
        record, or after a crash there, nothing is known to be shown. If another run has put its
        own notice there meanwhile, ours is shown again: whoever wrote the message last must be the
        last one in the record, or approvals would be of a bundle that nobody saw.
        """
        from assent.report.markdown import marker  # only whoever posts needs the renderer

        sign = marker(notice.model)
        body = notice.body if notice.body.startswith(sign) else f"{sign}\n{notice.body}"
        for _ in range(ATTEMPTS):
            sights = self.sights(notice.model, request.number, revision)
            if sights and sights[-1].bundle not in (None, notice.bundle):
                self._end(request, revision, notice.model)
            message, is_new = self._show_message(request, sign, body)
            is_recorded = self._record(request, revision, notice)
            if not (is_new or is_recorded) or self._still_says(request, message, body):
                self._conclude(request, revision, notice)
                return self.address(request, message)
            self._messages.clear()
        raise OutsideError(
            self._commenting(request),
            f"other runs keep changing the same {self._dialect.message}",
            hint=self.one_at_a_time,
        )

    def retract(self, request: R, revision: str, model: str, why: str) -> None:
        """Record that no bundle is shown on a request any more, if one was; the verdict that stands
        at its head goes with it.
        """
        sights = self.sights(model, request.number, revision)
        if sights and sights[-1].bundle is not None:
            self._end(request, revision, model, " ".join(why.split()))

    def say_once(self, request: R, sign: str, body: str) -> str:
        """Post a message that starts with `sign`, unless one of ours is there; say where it is."""
        own = self._own_messages(request.number, sign)
        return self.address(request, own[0] if own else self._create(request, sign, body))

    def _show_message(self, request: R, sign: str, body: str) -> tuple[M, bool]:
        """Our message, and whether it was written now."""
        own = self._own_messages(request.number, sign)
        if not own:
            return self._create(request, sign, body), True
        for duplicate in own[1:]:
            self._put_aside(request, duplicate, own[0])
        if is_same(own[0].text, body):
            return own[0], False
        return self._change(request, own[0], body), True

    def _own_messages(self, number: int, sign: str) -> list[M]:
        """Our messages of this model, oldest first: those of ours that start with the marker."""
        return [
            message
            for message in self.messages(number)
            if not message.is_of_forge
            and message.by is not None
            and message.by.id == self._remote.own.id
            and message.text.startswith(sign)
        ]

    def _create(self, request: R, sign: str, body: str) -> M:
        def find() -> M | None:
            self._messages.pop(request.number, None)
            own = self._own_messages(request.number, sign)
            return own[0] if own else None

        created = self._post(request, body, find, doing=self._commenting(request))
        self._messages.pop(request.number, None)
        return created

    def _change(self, request: R, message: M, body: str) -> M:
        doing = f"updating the {self._dialect.message} {self.address(request, message)}"

        def find() -> M | None:
            comment = self.find(request, message.id, doing=doing)
            return comment if comment is not None and is_same(comment.text, body) else None

        self._messages.clear()
        return self._edit(request, message, body, find, doing=doing)

    def _still_says(self, request: R, message: M, body: str) -> bool:
        doing = f"reading {self.address(request, message)} again"
        comment = self.find(request, message.id, doing=doing)
        return comment is not None and is_same(comment.text, body)

    def _commenting(self, request: R) -> str:
        return f"commenting on {self._dialect.request} {request.number}"

    def find(self, request: R, number: int, *, doing: str) -> M | None:
        """A message on a request as it is now; None if it is gone."""
        return self._remote.api.find(self._path(request.number, number), self._shape, doing=doing)

    def _read(self, number: int) -> Sequence[M]:
        path, dialect = self._path(number), self._dialect
        doing = f"reading the {dialect.message}s of {dialect.request} {number}"
        pages = self._remote.api.pages(path, self._shape, doing=doing, parameters=self.in_order)
        return list(pages)

    def _post(self, request: R, body: str, find: Callable[[], M | None], *, doing: str) -> M:
        """Write a message, and make sure that it is ours."""
        path, text = self._path(request.number), {"body": body}
        created = self._remote.api.write("POST", path, text, self._shape, doing=doing, find=find)
        self._remote.check_own(created.by, doing=doing)
        return created

    def _edit(
        self, request: R, message: M, body: str, find: Callable[[], M | None], *, doing: str
    ) -> M:
        """Write a message of ours anew."""
        path, method = self._path(request.number, message.id), self._dialect.update
        text = {"body": body}
        return self._remote.api.write(method, path, text, self._shape, doing=doing, find=find)

    # What a forge is asked

    @abstractmethod
    def address(self, request: R, message: M) -> str:
        """Where people see a message."""

    @abstractmethod
    def timestamp(self, text: str, doing: str) -> str:
        """A time of this forge as text that sorts as the times do."""

    @abstractmethod
    def sights(self, model: str, number: int, revision: str) -> list[ShownBundle]:
        """The bundles of `model` that were shown on a request at a revision, oldest first.

        Only our own statuses tell: others can post one. And they tell of one request: the same
        revision can be the head of another one, a fork's too.
        """

    @abstractmethod
    def _path(self, number: int, message: int | None = None) -> str:
        """The path of the messages of a request, or of one of them."""

    @abstractmethod
    def _put_aside(self, request: R, message: M, kept: M) -> None:
        """Have a second message of ours say no more. It is only in the way: if it stays, it
        stays.
        """

    @abstractmethod
    def _record(self, request: R, revision: str, notice: Notice) -> bool:
        """Record what is shown; whether it was written now. The newest may say it already."""

    @abstractmethod
    def _end(self, request: R, revision: str, model: str, why: str | None = None) -> None:
        """Record that nothing is shown any longer. `why` is given where nothing will be, and the
        verdict is over as well.
        """

    def _conclude(self, request: R, revision: str, notice: Notice) -> None:
        """Say the verdict, where the record does not say it already."""


def context(model: str) -> str:
    """The name of a model's status in the list of checks."""
    return f"assent/{model}"


def is_same(shown: str, body: str) -> bool:
    """Whether a text says this already. A forge may keep other line ends."""
    return shown.replace("\r\n", "\n").rstrip() == body.rstrip()
