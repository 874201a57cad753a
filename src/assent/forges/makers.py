"""Who made a change: who wrote its commits, and who pushed them beyond bringing in the base."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from assent.core.change import Author
from assent.core.identity import Actor

T = TypeVar("T")

UNTOLD = "who pushed its commits is not told"
MOST_TOGETHER = 10
"""How many changes one commit may have come from whose makers are asked for."""


class History(Protocol):
    """What Git knows of commits."""

    def adds_nothing(self, result: str, first: str, other: str) -> bool | None:
        """Whether a commit holds just what Git makes of merging two others; None if not known."""

    def parents(self, commit: str) -> tuple[str, ...]:
        """The parents of a commit; none if they are not known."""

    def contains(self, commit: str, ancestor: str) -> bool:
        """Whether a commit is known to have another one in its history."""


class WrittenCommit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit, and whom it names. `committer` is None where the forge itself made the commit."""

    sha: str
    parents: tuple[str, ...]
    author: Author
    committer: Author | None = None
    co_authors: tuple[Author, ...] = ()


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody moved a branch; `before` is None where it was new. `is_earlier`: that was a branch
    of the same name which was deleted since. `is_merge`: the forge itself has merged a change.
    """

    by: Actor
    before: str | None
    after: str
    is_earlier: bool = False
    is_merge: bool = False


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who made a change, and what is to be said of others who took part in it. `is_told`:
    the forge has told who pushed each of its commits.
    """

    authors: tuple[Author, ...]
    remarks: tuple[str, ...] = ()
    is_told: bool = False


def made_by(
    commits: Sequence[WrittenCommit], pushes: Sequence[Push] | None, history: History
) -> Made:
    """Who made `commits`. `pushes` are those of the branch, oldest first; None where the forge does
    not tell. What only brings in the base (a merge, or a rebase, that holds just what Git makes of
    it) makes nobody an author. Where that is not known, it does. Nor does a later push hide who
    pushed before it: what was replaced may be in what replaced it. So where it replaced something
    that came with no push that is told, it is not told who pushed what it brought. Of a branch that
    was deleted since, those count that brought what the change still has, as where it was restored.
    """
    change = _Change(commits, history)
    pushed = list(change.pushed(pushes or ()))
    passers = {push.by.key: push.by for push in pushed if push.is_idle}
    pushers = [author(push.by) for push in pushed if not push.is_idle]
    rebased = {sha for push in pushed if push.is_rebase for sha in push.brought}
    told = {sha for push in pushed if push.is_next for sha in push.brought}
    makers: list[Author] = []
    for commit in commits:
        if commit.sha not in change.idle:
            makers += _named(commit, is_rebased=commit.sha in rebased, is_told=commit.sha in told)
        elif commit.author.person is not None:
            passers[commit.author.person.key] = commit.author.person
    authors = distinct([*makers, *pushers])
    known = {maker.person.key for maker in authors if maker.person is not None}
    remarks = [_passed(passer) for key, passer in passers.items() if key not in known]
    is_told = all(commit.sha in told for commit in commits)
    if not is_told:
        remarks.append(UNTOLD)
    return Made(authors=authors, remarks=tuple(remarks), is_told=is_told)


def opened_by(
    made: Made,
    opener: Author,
    asked: Sequence[Author],
    beyond: Sequence[Author],
    *,
    is_own: Callable[[], bool],
) -> Made:
    """The same with whoever opened the change, for whom that was (`asked`), and who wrote what was
    not read (`beyond`). Where another automation than ours (`is_own`) opened it and nothing names a
    person, it is said that it is not told for whom.
    """
    people = any(
        maker.person is not None and maker.person.kind == "person" for maker in made.authors
    )
    is_automation = opener.person is not None and opener.person.kind != "person"
    remarks = made.remarks
    if is_automation and not asked and not people and not is_own():
        remarks = (*remarks, f"for whom `{opener.name}` opened it is not told")
    authors = distinct([opener, *beyond, *asked, *made.authors])
    return msgspec.structs.replace(made, authors=authors, remarks=remarks)


def is_beyond(commit: str, heads: Collection[str], history: History) -> bool:
    """Whether a step of the base branch may hold more than the changes with these heads that
    became it. Whoever merges with Git can add something, in the merge or on top; what the forge has
    squashed or put on the base it has made of the changes alone.
    """
    parents = history.parents(commit)
    if commit in heads:
        return False
    if len(parents) == 1:
        return parents[0] in heads
    is_merge = len(parents) == 2 and parents[1] in heads
    return not is_merge or history.adds_nothing(commit, *parents) is not True


def bringer(
    pushes: Sequence[Push], commit: str, line: Callable[[str], Sequence[str]]
) -> Push | None:
    """The push that brought a step to its branch; None if none of `pushes`, newest first, is known
    to have. `line` are the steps that led to a commit, newest first, as far as they are here.
    """
    known = {push.after: push for push in reversed(pushes)}
    if commit in known:
        return known[commit]
    for push in pushes:
        steps = line(push.after)
        if commit in steps:
            place = steps.index(commit)
            last = next(known[step] for step in reversed(steps[:place]) if step in known)
            was_there = last.before in steps[: place + 1]
            return None if was_there else last
    return None


def made_together(
    changes: Sequence[T], authors: Callable[[T], Sequence[Author]]
) -> tuple[Author, ...]:
    """Who made some of several changes, and somebody unknown if there are too many."""
    together = [maker for change in changes[:MOST_TOGETHER] for maker in authors(change)]
    if len(changes) > MOST_TOGETHER:
        together.append(Author(name=f"whoever made more than {MOST_TOGETHER} others", person=None))
    return tuple(together)


def author(person: Actor) -> Author:
    """Somebody who is as good as an author."""
    return Author(name=person.login, person=person)


def distinct(authors: Iterable[Author]) -> tuple[Author, ...]:
    """The authors without repetitions. An address that hides nobody in one commit, and may hide
    somebody in another one, may.
    """
    by_name: dict[tuple[str, Actor | None], Author] = {}
    for maker in authors:
        key = (maker.name, maker.person)
        if key not in by_name or by_name[key].is_covered:
            by_name[key] = maker
    return tuple(by_name.values())


def named(commits: Iterable[WrittenCommit]) -> Iterator[Author]:
    """Everybody whom commits name."""
    for commit in commits:
        yield commit.author
        if commit.committer is not None:
            yield commit.committer
        yield from commit.co_authors


def _passed(actor: Actor) -> str:
    return f"`{actor.login}` brought in the base branch and nothing else, which makes no author"


def _named(commit: WrittenCommit, *, is_rebased: bool, is_told: bool) -> list[Author]:
    """Whom a commit names. A rebase makes whoever does it the committer of what others wrote."""
    makers = (
        [commit.author]
        if commit.committer is None or is_rebased
        else [commit.author, commit.committer]
    )
    return [
        *(msgspec.structs.replace(author, is_covered=is_told) for author in makers),
        *(msgspec.structs.replace(author, is_covered=True) for author in commit.co_authors),
    ]


class _Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What a push did: the commits of the change that it `brought`, none if nothing of it is left.
    `is_idle`: nothing that is not of the base came with it. `is_rebase`: it has put what was there
    on another commit of the base, and no more. `is_next`: what it replaced is told.
    """

    by: Actor
    brought: frozenset[str]
    is_idle: bool
    is_rebase: bool
    is_next: bool


class _Change:
    """The commits of a change, and how they hang together. `idle` are the merges that hold just
    what Git makes of them.
    """

    def __init__(self, commits: Sequence[WrittenCommit], history: History) -> None:
        self._parents: Mapping[str, tuple[str, ...]] = {
            commit.sha: commit.parents for commit in commits
        }
        self._onto = self._edges(self._parents)
        self._history = history
        self.idle = frozenset(commit.sha for commit in commits if self._is_idle(commit))

    def pushed(self, pushes: Iterable[Push]) -> Iterator[_Pushed]:
        """What each push did. Those of an earlier branch of this name count only if they brought
        something.
        """
        last: str | None = None
        for push in pushes:
            brought = self._brought_by(push)
            if brought or not push.is_earlier:
                is_rebase = self._is_rebase(push)
                yield _Pushed(
                    by=push.by,
                    brought=brought,
                    is_idle=is_rebase or self._is_idle_push(push, brought),
                    is_rebase=is_rebase,
                    is_next=self._is_next(push, last),
                )
            last = push.after

    def _brought_by(self, push: Push) -> frozenset[str]:
        before = frozenset() if push.before is None else self._below(push.before)
        return self._below(push.after) - before

    def _is_next(self, push: Push, last: str | None) -> bool:
        """Whether what a push replaced is known: it came with the push before, it is of the change
        still, or it was of the base. Else another push, which is not told, has brought it.
        """
        before = push.before
        return before is None or before == last or before in self._parents or self._is_base(before)

    def _is_base(self, commit: str) -> bool:
        return any(self._history.contains(tip, commit) for tip in self._onto)

    def _is_idle_push(self, push: Push, brought: frozenset[str]) -> bool:
        if push.after in self._parents:
            return brought <= self.idle
        if self._is_base(push.after):
            return True
        parents = self._history.parents(push.after)
        if len(parents) != 2 or parents[0] != push.before:
            return False
        if not self._is_base(parents[1]):
            return False  # what it has merged may be anything
        return self._history.adds_nothing(push.after, *parents) is True

    def _is_rebase(self, push: Push) -> bool:
        if push.before is None or push.before in self._parents or push.after not in self._parents:
            return False
        onto = self._edges(self._below(push.after))
        if len(onto) != 1 or self._history.contains(push.after, push.before):
            return False
        return self._history.adds_nothing(push.after, push.before, *onto) is True

    def _edges(self, commits: Collection[str]) -> frozenset[str]:
        """What the commits stand on: the base, as far as it is beside them."""
        return frozenset(parent for sha in commits for parent in self._parents[sha]) - {*commits}

    def _below(self, sha: str) -> frozenset[str]:
        below: set[str] = set()
        waiting = [sha]
        while waiting:
            current = waiting.pop()
            if current in self._parents and current not in below:
                below.add(current)
                waiting += self._parents[current]
        return frozenset(below)

    def _is_idle(self, commit: WrittenCommit) -> bool:
        if len(commit.parents) != 2 or commit.co_authors:
            return False
        return self._history.adds_nothing(commit.sha, *commit.parents) is True
