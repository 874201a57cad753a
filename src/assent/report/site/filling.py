"""Markup put together from parts, each of which is escaped unless it is markup already.

`Markup` can do that itself with `%`, at five times the cost; ten thousand pages are made of some
million parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from markupsafe import Markup, escape


def fill(form: str, *parts: str | Markup) -> Markup:
    """`form`, which is our own, with a part in the place of each `%s`."""
    first, *others = _split(form)
    texts = [first]
    for part, text in zip(parts, others, strict=True):
        texts.append(part if isinstance(part, Markup) else escape(part))
        texts.append(text)
    return _markup("".join(texts))


def together(parts: Iterable[str], between: str = "") -> Markup:
    """Parts that are markup already, or our own, one after the other."""
    return _markup(str.join(between, parts))


def drawn_markup(drawing: str) -> Markup:
    """A drawing of `report.charts` or of this room, in which all text is escaped already."""
    return _markup(drawing)


def inert(part: str | Markup) -> Markup:
    """A part as markup."""
    return part if isinstance(part, Markup) else escape(part)


@cache
def _split(form: str) -> list[str]:
    return form.split("%s")


def _markup(text: str) -> Markup:
    """Text of which every part is our own or escaped; without looking at it once more."""
    return str.__new__(Markup, text)
