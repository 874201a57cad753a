"""Which change a run is about: what a request, a branch or a commit is to the default branch.

What CI says is at most a hint which request to ask for; what it is, who wrote it and whether it has
landed is what the forge's API says.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import msgspec

from assent.core.change import Author, Change
from assent.errors import IdleError, OutsideError
from assent.forges.default_branch import DefaultBranch
from assent.forges.lag import Lag
from assent.forges.makers import UNTOLD, Made, Push, distinct, is_beyond, made_together
from assent.forges.remote.repository import Remote, Request
from assent.git import Repository
from assent.git.merges import Merges

R = TypeVar("R", bound=Request)

_HEADS = "refs/heads/"


class Wakeup(msgspec.Struct, frozen=True, kw_only=True):
    """Why this run was started, as the CI says: a hint what to ask about. `run` is its number, None
    outside CI; `sha` and `ref` are what is checked out, `before` is where the branch was before the
    push that started the run.
    """

    run: str | None = None
    sha: str | None = None
    ref: str | None = None
    before: str | None = None


class Found(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """A change, and its request if it has one. `is_told`: the forge tells who has pushed all of
    it.
    """

    change: Change
    request: R | None = None
    is_told: bool = False


class RemoteChanges(ABC, Generic[R]):
    """The change of a run, and changes by number. Each is read once.

    `is_of_open`: the run is about something open, as whatever has landed has done so before; any
    other one may come so soon after a merge that the forge does not tell of it yet. `pushes` reads
    those to the default branch, newest first, `most` of them.
    """

    def __init__(
        self,
        remote: Remote,
        checkout: Repository,
        wakeup: Wakeup,
        *,
        is_of_open: bool,
        wait: Callable[[float], None],
        pushes: Callable[[], Sequence[Push]],
        most: int,
    ) -> None:
        self._remote = remote
        self._checkout = checkout
        self._history = Merges(checkout)
        self._sha, self._ref = wakeup.sha, wakeup.ref
        self._known: dict[int, Found[R]] = {}
        self._landed: dict[tuple[str, bool], Found[R]] = {}
        self._default_branch = DefaultBranch(checkout, pushes, most=most)
        may_be_late = wakeup.run is not None and not is_of_open
        self._lag = Lag(checkout, wait, may_be_late=may_be_late, before=wakeup.before)

    @abstractmethod
    def current(self) -> Found[R] | None:
        """The change of this run."""

    def numbered(self, name: str) -> Found[R]:
        """The change of an id such as `#7`; what was never a request has no reviews."""
        match = re.fullmatch(rf"{re.escape(self._remote.dialect.mark)}([0-9]{{1,10}})", name)
        if match is None:
            return Found(change=Change(id=name, title="", base="", head="", authors=()))
        return self._request(int(match[1]))

    def tips(self) -> frozenset[str]:
        """See `Forge.tips`."""
        return self._default_branch.tips

    def _request(self, number: int) -> Found[R]:
        return self._known[number] if number in self._known else self._of(self._read(number))

    def _of(self, request: R) -> Found[R]:
        """The change that a request is, with everybody who made it."""
        dialect = self._remote.dialect
        if request.revision is None:
            raise OutsideError(f"reading {dialect.request} {request.number}", "it has no commits")
        landed_as = self._landed_as(request)
        is_landed = landed_as is not None or self._has_landed(request)
        made = self._made(request)
        change = Change(
            id=f"{dialect.mark}{request.number}",
            title=request.title,
            base=request.target,
            head=request.revision,
            authors=made.authors,
            remarks=made.remarks,
            landed=is_landed,
            landed_as=landed_as,
            address=request.address,
            repository=self._remote.page,
        )
        self._known[request.number] = Found(change=change, request=request, is_told=made.is_told)
        return self._known[request.number]

    # The working tree

    def _of_checkout(self) -> Found[R] | None:
        """What the working tree holds: what landed on the default branch, else the open request of
        the branch.
        """
        head = self._checkout.resolve("HEAD")
        if head is None:
            return None
        branch = self._branch(head)
        if branch is None or branch == self._remote.branch:
            return self.landed(head)
        doing = f"looking for the {self._remote.dialect.request} of {branch}"
        opened: Iterable[R] = self._remote.open_requests(branch, doing=doing)
        at_head = [request for request in opened if request.revision == head]
        if at_head:
            return self._of(self._only(at_head, doing, head))
        return self._alone(branch, head, landed=False)

    def _branch(self, head: str) -> str | None:
        if self._ref is not None and self._ref.startswith(_HEADS) and self._sha == head:
            return self._ref.removeprefix(_HEADS)
        return self._checkout.branch()

    def _only(self, requests: list[R], doing: str, sha: str) -> R:
        """The one among several with the same head that goes to the default branch."""
        request, branch = self._remote.dialect.request, self._remote.branch
        if not requests:
            raise IdleError(
                doing,
                f"no open {request} has the head {sha[:12]}",
                hint="it may have been closed, or have got new commits; then a newer run is on "
                "its way",
            )
        if len(requests) > 1:
            requests = [request for request in requests if request.target == branch]
        if len(requests) != 1:
            raise OutsideError(
                doing,
                f"several {request}s have the head {sha[:12]}, none or not one of them to {branch}",
                hint="close all but one",
            )
        return requests[0]

    # The default branch

    def landed(self, head: str, *, is_step: bool = False) -> Found[R]:
        """The request that a commit of the default branch came from. Each is looked for once.

        A commit of a fork can be read here as well, so that the forge knows it proves nothing. It
        has landed if a merged request says that it became this commit, or if the default branch
        contains it, which is not asked of what is known to be a step of that (`is_step`). A run
        waits for the forge once, however many commits it looks at.
        """
        if (head, is_step) not in self._landed:
            self._landed[head, is_step] = self._look_for_landed(head, is_step=is_step)
        return self._landed[head, is_step]

    def _look_for_landed(self, head: str, *, is_step: bool) -> Found[R]:
        def is_it(request: R) -> bool:
            return self._landed_as(request) == head

        merged = self._lag.read(head, lambda: self._merged_with(head), is_it)
        became = [request for request in merged if is_it(request)]
        if became:
            return self._merged_together(became, head)
        branch = self._remote.branch
        landed = is_step or self._contains(branch, head)
        return self._alone(branch, head, landed=landed, within=merged if landed else [])

    def _merged_together(self, requests: Sequence[R], commit: str) -> Found[R]:
        """The request that was merged as a commit. A forge calls another one merged as well whose
        commits came with it, stacked on it or of the same head: the one whose head was merged is
        the change, of the repository before a fork's, and who made the others made it too.
        """
        heads = (commit, *self._history.parents(commit)[1:])

        def place(request: R) -> tuple[bool, bool, int]:
            return (
                request.revision not in heads,
                request.source != self._remote.number,
                request.number,
            )

        first, *others = sorted(requests, key=place)
        landed = self._request(first.number)
        more = list(self._makers(others))
        if is_beyond(
            commit, [sha for request in requests for sha in request.made_of], self._history
        ):
            more += self._merged_by_hand(commit, self._default_branch.pusher(commit))
        if not more:
            return landed
        authors = distinct([*landed.change.authors, *more])
        change = msgspec.structs.replace(landed.change, authors=authors)
        return msgspec.structs.replace(landed, change=change)

    def _makers(self, requests: Sequence[R]) -> tuple[Author, ...]:
        """Who made some of several requests, and somebody unknown if there are too many."""
        return made_together(requests, lambda request: self._request(request.number).change.authors)

    def _alone(self, branch: str, head: str, *, landed: bool, within: Sequence[R] = ()) -> Found[R]:
        """A commit that is no request as a whole. It may have come `within` some, as when each of
        their commits lands by itself: whoever put it on the branch has not made it then.
        """
        doing = f"reading the commit {head[:12]}"
        title = self._checkout.run("log", "-1", "--format=%s", head, doing=doing)
        pusher = self._default_branch.pusher(head) if landed and not within else None
        made = self._made_commit(head, landed=landed, is_within=bool(within), pusher=pusher)
        change = Change(
            id=f"{branch}@{head[:12]}",
            title=title,
            base=self._remote.branch,
            head=head,
            authors=distinct([*made, *self._makers(within)]) or (self.unknown,),
            remarks=(UNTOLD,) if landed and not within and pusher is None else (),
            landed=landed,
            repository=self._remote.page,
        )
        return Found(change=change)

    @property
    def unknown(self) -> Author:
        """Who made what the forge does not have."""
        return Author(name=f"commits that {self._remote.dialect.title} does not have", person=None)

    # What a forge is asked

    @abstractmethod
    def _read(self, number: int) -> R:
        """The request of a number."""

    @abstractmethod
    def _made(self, request: R) -> Made:
        """Everybody who made a part of a request."""

    @abstractmethod
    def _landed_as(self, request: R) -> str | None:
        """The commit of the default branch that a request has become. None if it has not, as one
        into another branch never has, or if the forge does not say which.
        """

    def _has_landed(self, request: R) -> bool:
        """Whether it has, where the forge does not say as which commit."""
        del request
        return False

    @abstractmethod
    def _merged_with(self, commit: str) -> list[R]:
        """The requests that were merged into the default branch and had a part in a commit."""

    @abstractmethod
    def _contains(self, branch: str, commit: str) -> bool:
        """Whether a branch has a commit in its history."""

    @abstractmethod
    def _merged_by_hand(self, commit: str, pusher: Push | None) -> Iterable[Author]:
        """Who made all that a commit has brought, unless the forge itself has merged it."""

    @abstractmethod
    def _made_commit(
        self, head: str, *, landed: bool, is_within: bool, pusher: Push | None
    ) -> Iterable[Author]:
        """Who made a commit, with all that it has brought to the default branch if it `landed`
        there, put there by `pusher`.
        """
