"""An in-memory forge for tests."""

from __future__ import annotations

from collections.abc import Sequence

from assent.core.change import Change, Review, ReviewState
from assent.core.digest import Digest
from assent.core.identity import Actor
from assent.errors import UsageError


class MemoryForge:
    """A `Forge` whose state is in its attributes.

    `open_change` is the change under review, `accounts` who exists by login, `groups` who is in
    which `@group` by id, `comments` what was shown by model.
    """

    def __init__(self, *logins: str) -> None:
        self.accounts = {login: _account(login) for login in logins}
        self.groups: dict[str, set[str]] = {}
        self.open_change: Change | None = None
        self.given: list[tuple[str, str | None, Review]] = []
        self.comments: dict[str, str] = {}
        self.me = _account("me")

    def whoami(self) -> Actor:
        """See `Forge.whoami`."""
        return self.me

    def person(self, name: str) -> Actor:
        """See `Forge.person`."""
        if name not in self.accounts:
            raise UsageError(f"looking for {name!r}", "there is no such account")
        return self.accounts[name]

    def change(self) -> Change | None:
        """See `Forge.change`."""
        return self.open_change

    def reviews(self, model: str, bundle: Digest) -> Sequence[Review]:
        """See `Forge.reviews`."""
        here = None if self.open_change is None else self.open_change.id
        return [
            review
            for of_model, change, review in self.given
            if of_model == model and (review.bundle == bundle or (change and change == here))
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
        """See `Forge.review`."""
        change = self.open_change
        review = Review(
            person=self.person(by),
            state=state,
            at=at,
            head=None if change is None else change.head,
            bundle=bundle,
            reason=reason,
        )
        self.given.append((model, None if change is None else change.id, review))
        return review

    def matches(self, person: Actor, who: str) -> bool:
        """See `Forge.matches`."""
        known = person in self.accounts.values()
        if who.startswith("@"):
            return known and person.id in self.groups.get(who, set())
        return known and who in ("*", person.login)

    def comment(self, model: str, bundle: Digest, body: str) -> str:
        """See `Forge.comment`."""
        del bundle
        self.comments[model] = body
        return f"memory:{model}"


def _account(login: str) -> Actor:
    return Actor(
        kind="person", forge="memory", host="memory", id=f"id-{login}", login=login, proof="forge"
    )
