"""Markup put together from parts, each of which is escaped unless it is markup already.

`Markup` can do that itself with `%`, at five times the cost; ten thousand pages are made of some
million parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from markupsafe import Markup, escape


def fill(form: str, *parts: str | Markup) -> Markup:
    """`form`, which is our own, with a part in the place of each `%s`."""
    first, others = _split(form)
    texts = [first]
    for part, text in zip(parts, others, strict=True):
        texts += (inert(part), text)
    return _markup("".join(texts))


def together(parts: Iterable[str], between: str = "") -> Markup:
    """Parts that are markup already, or our own, one after the other."""
    return _markup(str.join(between, parts))


def drawn_markup(drawing: str) -> Markup:
    """A drawing of `report.charts` or of this room, in which all text is escaped already."""
    return _markup(drawing)


def inert(part: str | Markup) -> str:
    """A part as it may stand in markup. Most texts hold none of the signs that mean something."""
    if type(part) is Markup or _MEANS_NOTHING(part):
        return part
    return escape(part)


_MEANS_NOTHING = re.compile(r"[^&<>\"']*").fullmatch
"""The signs that `escape` writes out are all that is looked for."""


@cache
def _split(form: str) -> tuple[str, tuple[str, ...]]:
    first, *others = form.split("%s")
    return first, tuple(others)


def _markup(text: str) -> Markup:
    """Text of which every part is our own or escaped; without looking at it once more."""
    return str.__new__(Markup, text)
