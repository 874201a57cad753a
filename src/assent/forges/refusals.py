"""What no forge does for anybody, in the words of each."""

from __future__ import annotations

from assent.core.digest import Digest
from assent.errors import UsageError


def own_word(forge: str, place: str, *, by: str, model: str, bundle: Digest) -> UsageError:
    """Nobody reviews in another's name. `place` is where they can do it themselves."""
    return UsageError(
        f"reviewing in the name of {by!r}",
        f"on {forge} everybody reviews for themselves",
        hint=f"approve {place}, or comment there: /assent approve {model} {bundle}",
    )


def nowhere(request: str, model: str) -> UsageError:
    """There is no `request` (a pull request, a merge request) to comment on."""
    return UsageError(
        f"commenting on the review of {model}",
        f"there is no {request} of what is checked out",
        hint=f"push it and open a {request}",
    )
