"""What somebody may have meant who has mistyped a name."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, names: Iterable[str], *, least: float = 0.5) -> str | None:
    """The one of `names` that is most like `name`, whatever the case of the letters; None if none
    is: what is the same in both is less than `least` of them.
    """
    import difflib  # only whoever has mistyped something

    known = sorted(names)
    folded = {other.casefold(): other for other in reversed(known)}
    close = difflib.get_close_matches(name.casefold(), sorted(folded), n=1, cutoff=least)
    return folded[close[0]] if close else None


def meant(name: str, names: Iterable[str], *, least: float = 0.5) -> str:
    """The question whether that one was meant, to follow a sentence; empty if there is none."""
    close = nearest(name, names, least=least)
    return "" if close is None else f"; did you mean {close!r}?"
