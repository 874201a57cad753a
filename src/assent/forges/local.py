"""The local stand-in for a forge: a branch is a change, and reviews are kept in the Git folder.

Nothing vouches for the names that people give here, so every identity is `claimed`. An identity
is an e-mail address of the repository's history or of `people` in `assent.yaml`; that is how an
author is recognised however they spell their name.
"""

from __future__ import annotations

import fcntl
import getpass
import os
from collections.abc import Collection, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import IO, Self

import msgspec

from assent.core.change import Author, Change, Review, ReviewState
from assent.core.digest import Digest
from assent.core.evidence import Run
from assent.core.identity import Actor, Resolved, unpinned
from assent.errors import OutsideError, UsageError
from assent.files import write_atomically
from assent.git import BaseBranch, Repository
from assent.ports import (
    Asked,
    CommitAuthor,
    Deployment,
    DeploymentRequest,
    Guards,
    KnownGuards,
    KnownQueue,
    Notice,
    Proposal,
    Protection,
    ProtectionState,
    ReviewQueue,
)

HOST = "local"
_MOST_TIPS = 1000
_NO_QUEUE = KnownQueue(lacking="without a forge each branch is reviewed where it is checked out")
_CLAIMS = KnownGuards(
    found=(
        Protection(
            name="identities",
            state=ProtectionState.MISSING,
            reason="without a forge nothing vouches for a name: every identity is claimed",
            remedy="host the repository on a forge and run Assent in its CI",
        ),
    )
)
_CUT_OFF = "(this clone is shallow: git fetch --unshallow brings the rest)"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody the base branch's `assent.yaml` lists, with their groups."""

    name: str
    email: str
    groups: tuple[str, ...] = ()


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the file of reviews."""

    model: str
    change: str | None
    review: Review


class LocalForge:
    """A `Forge` without a server. `people` are those of the base branch; when there are none,
    anybody may be named. `base` is the newest commit of the base branch, `folder` the place for
    the comment of each model.
    """

    def __init__(
        self,
        repository: Repository,
        *,
        base: BaseBranch,
        people: Sequence[Person],
        folder: Path,
    ) -> None:
        self._repository = repository
        self._branch = base
        self._people = people
        self._folder = folder
        self._reviews = repository.common / "assent" / "reviews.jsonl"
        self._change: Change | None = None
        self._commit: str | None = None

    def clock(self) -> None:
        """See `Forge.clock`. There is no other clock than this machine's."""

    def whoami(self) -> Actor:
        """See `Forge.whoami`. It is the identity that Git would commit with."""
        email = self._repository.config("user.email")
        name = self._repository.config("user.name")
        if not email:
            name = name or os.environ.get("USER") or getpass.getuser()
            return self._actor(name, name)
        return self._actor(email, name or email)

    def change(self) -> Change | None:
        """See `Forge.change`."""
        head = self._commit or self._repository.resolve("HEAD")
        if head is None:
            return None
        if self._change is None or self._change.head != head:
            self._change = self._change_at(head)
        return self._change

    def change_of(self, name: str) -> Change | None:
        """See `Forge.change_of`. A branch that is gone, or a commit that has landed since, is not
        looked for.
        """
        here = self.change()
        return here if here is not None and here.id == name else None

    def _change_at(self, head: str) -> Change:
        repository = self._repository
        branch = repository.branch()
        landed = self._branch.commit is None or repository.contains(self._branch.commit, head)
        if landed:
            # Of what has landed, the newest step along the first parent: the commit itself, or
            # everything that its merge brought in.
            before = repository.resolve(f"{head}^1")
            revisions = head if before is None else f"{before}..{head}"
        else:
            revisions = f"{self._branch.commit}..{head}"
        return Change(
            id=f"{self._branch.name or branch}@{head[:12]}" if landed else branch or head[:12],
            title=repository.subject(head),
            base=self._branch.name or "",
            head=head,
            authors=(*self._authors(revisions), *self._unknown_authors(revisions, landed)),
            landed=landed,
        )

    def _authors(self, revisions: str) -> tuple[Author, ...]:
        """Everybody who wrote or committed one of the commits, co-authors included."""
        shown = self._repository.run(
            "log",
            "--max-count=10000",
            "--format=%an <%ae>%n%cn <%ce>%n%(trailers:key=Co-authored-by,valueonly)",
            revisions,
            doing="reading the authors of the change",
        )
        names = dict.fromkeys(line.strip() for line in shown.splitlines() if line.strip())
        authors = []
        for name in names:
            text, _, address = name.removesuffix(">").rpartition("<")
            actor = self._actor(address, text.strip() or address)
            authors.append(Author(name=name, person=actor))
        return tuple({author.name: author for author in authors}.values())

    def _unknown_authors(self, revisions: str, landed: bool) -> tuple[Author, ...]:
        """Somebody without an account, if a shallow clone hides commits of the change: who wrote
        those is not known, so nobody's independence is.
        """
        repository = self._repository
        cut = repository.cut_commits()
        if not cut:
            return ()
        doing = "looking for the commits of the change"
        for commit in repository.run("rev-list", revisions, doing=doing).splitlines():
            if commit not in cut:
                continue
            parents = repository.parents(commit)
            # What has landed without a merge is the one commit; and a parent that the base branch
            # has, as far as it is here, ends the change.
            if landed and self._branch.commit is not None and len(parents) < 2:
                continue
            if all(
                self._branch.commit and repository.contains(self._branch.commit, parent)
                for parent in parents
            ):
                continue
            return (Author(name=f"somebody before {commit[:12]} {_CUT_OFF}", person=None),)
        return ()

    def shown(self, model: str) -> Digest | None:
        """See `Forge.shown`. The comment is a file here, which anybody can write."""
        del model
        return None

    def started(self, run: Run) -> tuple[Actor, ...]:
        """See `Forge.started`."""
        del run
        return ()

    def reviews(self, model: str, bundle: Digest, *, change: str | None = None) -> Sequence[Review]:
        """See `Forge.reviews`."""
        if change is None:
            here = self.change()
            change = None if here is None else here.id
        return [
            kept.review
            for kept in self._read()
            if kept.model == model
            and (kept.review.bundle == bundle or (change is not None and kept.change == change))
        ]

    def review(
        self,
        model: str,
        bundle: Digest,
        *,
        by: str,
        state: ReviewState,
        at: str,
        reason: str | None,
    ) -> Review:
        """See `Forge.review`. Where people are listed, a name that nobody has is a slip of the
        pen and no opinion.
        """
        if self._people and self._known(by) is None:
            listed = ", ".join(sorted(person.name for person in self._people))
            raise UsageError(
                f"looking for {by!r}",
                "nobody of this name is in `people` of the base branch, or in its history",
                hint=f"`people` has {listed}",
            )
        change = self.change()
        review = Review(
            person=self.person(by),
            state=state,
            at=at,
            head=None if change is None else change.head,
            bundle=bundle,
            reason=reason,
        )
        self._append(
            _Kept(model=model, change=None if change is None else change.id, review=review)
        )
        return review

    def matches(self, person: Actor, who: str) -> Resolved | None:
        """See `Forge.matches`. What a name means is what `people` of the base branch say, so that
        nothing is bound to what it meant before.
        """
        if person.forge != HOST:
            return None
        known = next((known for known in self._people if known.email.lower() == person.id), None)
        if self._people and known is None:
            return None
        name, pin = unpinned(who)
        if pin is not None and not who.startswith("@"):
            return Resolved(name=name) if pin.lower() == person.id else None
        if who.startswith("@"):
            is_so = known is not None and name.removeprefix("@") in known.groups
        else:
            called = {person.id, person.login.lower(), known.name.lower() if known else ""}
            is_so = who == "*" or who.lower() in called
        return Resolved(name=name) if is_so else None

    def withdrawn(self, model: str, review: Review, *, change: str) -> str | None:
        """See `Forge.withdrawn`. Reviews stay in the clone they were given in: another one has
        none of them, which says nothing.
        """
        del model, review, change
        return None

    def branch(self) -> str | None:
        """See `Forge.branch`."""
        return self._branch.name

    def landed(self, commit: str) -> Self:
        """See `Forge.landed`. Which branch a commit came from, Git does not say."""
        other = copy(self)
        other._commit = commit
        return other

    def tips(self) -> Collection[str]:
        """See `Forge.tips`. It is what this clone has seen."""
        return self._tips

    @cached_property
    def _tips(self) -> frozenset[str]:
        return frozenset(self._branch.was(most=_MOST_TIPS))

    def retract(self, model: str, why: str) -> None:
        """See `Forge.retract`. There is no record of what was shown."""
        del model, why

    @property
    def review_queue(self) -> ReviewQueue:
        """See `Forge.review_queue`."""
        return _NO_QUEUE

    def fetch(self, name: str, folder: Path, *, size_bytes: int | None = None) -> Run | None:
        """See `Forge.fetch`. Nothing is started by the end of a run here."""
        del name, folder, size_bytes
        return None

    def fetch_own(self, name: str, folder: Path, *, size_bytes: int | None = None) -> Run:
        """See `Forge.fetch_own`. There are no jobs here that could have left anything."""
        del folder, size_bytes
        raise UsageError(
            f"fetching what the job {name!r} has left",
            "there are no jobs without a forge",
            hint="leave --artifact out: it is trained here",
        )

    def asked(self) -> Asked | None:
        """See `Forge.asked`. Nobody comments here."""
        return None

    def answer(self, asked: Asked, text: str) -> str | None:
        """See `Forge.answer`."""
        del asked, text
        return None

    def commit_author(self) -> CommitAuthor:
        """See `Forge.commit_author`."""
        own = self.whoami()
        return CommitAuthor(name=own.login, email=own.id)

    def propose(self, proposal: Proposal) -> str:
        """See `Forge.propose`. Without a server the branch itself is the change."""
        return proposal.branch

    def deployment_request(self, environment: str) -> DeploymentRequest:
        """See `Forge.deployment_request`. Nobody is asked before somebody deploys from here."""
        del environment
        return DeploymentRequest(by=self.whoami())

    def deployed(self, deployment: Deployment) -> str | None:
        """See `Forge.deployed`. There is no place for it but the ledger."""
        del deployment
        return None

    @property
    def guards(self) -> Guards:
        """See `Forge.guards`."""
        return _CLAIMS

    def comment(self, notice: Notice) -> str:
        """See `Forge.comment`. Here it is a file, rewritten only when it changes."""
        path = self._folder / notice.model / "comment.md"
        content = notice.body.encode()
        try:
            is_there = path.exists() and path.read_bytes() == content
        except OSError as error:
            raise OutsideError(
                f"writing the comment to {path}", error.strerror or str(error)
            ) from None
        if not is_there:
            write_atomically(path, content)
        return str(path)

    def person(self, name: str) -> Actor:
        """See `Forge.person`: somebody of `people`, or somebody of the history by address, by its
        part before the `@`, or by full name; else a new one.
        """
        known = self._known(name)
        return known or self._actor(name.strip().lower(), name.strip())

    def _known(self, name: str) -> Actor | None:
        wanted = name.strip().lower()
        if not wanted or not wanted.isprintable():
            raise UsageError(f"looking for {name!r}", "this is no name")
        spelled_by_email: dict[str, str] = {}
        for spelled, email in [*self._listed(), *self._committers()]:
            if wanted in (spelled.lower(), email.lower(), email.lower().partition("@")[0]):
                spelled_by_email.setdefault(email.lower(), spelled)
        if len(spelled_by_email) > 1:
            raise UsageError(
                f"looking for {name!r}",
                "it could be " + " or ".join(sorted(spelled_by_email)),
                hint="give the e-mail address",
            )
        for email, spelled in spelled_by_email.items():
            return self._actor(email, spelled)
        return None

    def _listed(self) -> list[tuple[str, str]]:
        return [(person.name, person.email) for person in self._people]

    def _committers(self) -> list[tuple[str, str]]:
        shown = self._repository.run(
            "log",
            # The ledger's commits are ours: their authors are logins without an address.
            "--exclude=refs/heads/assent/*",
            "--exclude=refs/remotes/*/assent/*",
            "--all",
            "--max-count=10000",
            "--format=%an%x09%ae",
            doing="reading the authors",
        )
        pairs = (line.rpartition("\t") for line in dict.fromkeys(shown.splitlines()))
        own = self.whoami()
        return [*((name, email) for name, _, email in pairs if email), (own.login, own.id)]

    def _actor(self, identity: str, login: str) -> Actor:
        return Actor(
            kind="person",
            forge=HOST,
            host=HOST,
            id=identity.lower(),
            login=login,
            proof="claimed",
        )

    def _append(self, kept: _Kept) -> None:
        doing = "keeping the review"
        line = msgspec.json.encode(kept) + b"\n"
        try:
            self._reviews.parent.mkdir(parents=True, exist_ok=True)
            with self._reviews.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                _cut_to_last_line(file)
                start = file.tell()
                try:
                    file.write(line)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(start)
                    raise
        except OSError as error:
            raise OutsideError(doing, f"{self._reviews}: {error.strerror}") from None

    def _read(self) -> list[_Kept]:
        """All reviews. A last line without its end was cut off by a crash and was never given;
        anything else that cannot be read is an error, because it might be an objection.
        """
        try:
            content = self._reviews.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            problem = f"{self._reviews}: {error.strerror}"
            raise OutsideError("reading the reviews", problem, hint=_LOST_REVIEWS) from None
        lines = content.split(b"\n")[:-1]
        try:
            return [msgspec.json.decode(line, type=_Kept) for line in lines if line]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problem = f"{self._reviews} is damaged ({error})"
            raise OutsideError("reading the reviews", problem, hint=_LOST_REVIEWS) from None


_LOST_REVIEWS = (
    "put it right, or take it away: whoever had approved or objected, and is not in the ledger "
    "yet, does so again"
)


def _cut_to_last_line(file: IO[bytes]) -> None:
    """Cut off a last line that a crash left without its end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 65_536))
    tail = file.read()
    if tail and not tail.endswith(b"\n"):
        file.truncate(size - len(tail) + tail.rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)
