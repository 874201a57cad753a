"""Names in the lists of `assent.yaml` that are not bound to an account yet, and binding them.

Only those names are changed in the text: comments and layout stay as somebody wrote them.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from assent.core.approval import ANYONE
from assent.parsing import Spot, yaml_texts

_OTHERS = (ANYONE, "codeowners")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the text names somebody by the login alone: of which `model`, and up to where."""

    model: str
    login: str
    end: int


def unpinned_names(text: str) -> list[Place]:
    """Every login without a pin in the lists of `text`, which was read as a configuration before,
    in the order of the text. What is spelled in an unusual way is left out.
    """
    return [
        Place(model=str(spot.path[1]), login=spot.value, end=spot.end)
        for spot in yaml_texts(text)
        if _is_of_list(spot) and _is_login(spot.value)
    ]


def pinned(text: str, number_of: Callable[[Place], str | None]) -> str:
    """`text` with the number of every name that `number_of` knows."""
    for place in reversed(unpinned_names(text)):
        number = number_of(place)
        if number is not None:
            text = f"{text[: place.end]}#{number}{text[place.end :]}"
    return text


def _is_of_list(spot: Spot) -> bool:
    """Whether this is an entry of a `from` of approvals or of the override."""
    match spot.path:
        case ("models", _, "approvals" | "override", "from", int()):
            return True
        case ("models", _, "stages", _, "approvals", "from", int()):
            return True
    return False


def _is_login(name: str) -> bool:
    return name not in _OTHERS and not name.startswith(("@", "id:")) and "#" not in name
