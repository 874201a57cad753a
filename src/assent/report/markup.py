"""What the pages are made with: templates that escape whatever is put into them, and the cells of
a document as markup.
"""

from __future__ import annotations

from functools import cache

import jinja2
from markupsafe import Markup

from assent.report.escape import name, pieces, shorten, visible
from assent.report.parts import (
    Break,
    Cell,
    Move,
    Number,
    Pair,
    Part,
    State,
    Text,
    Words,
    spaced,
)

_NAME_LIMIT = 400
_SENTENCE_LIMIT = 2_000


@cache
def environment() -> jinja2.Environment:
    """The templates of all pages."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("assent.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["cell"] = cell_markup
    made.filters["plain"] = _plain
    made.filters["named"] = name
    made.filters["drawing"] = _drawing
    return made


def cell_markup(cell: Cell) -> Markup:
    """A cell, with all its text escaped."""
    return Markup(spaced(map(_part, cell)))  # noqa: S704 - every part is markup already


def _drawing(drawing: str) -> Markup:
    return Markup(drawing)  # noqa: S704 - made by report.charts, which escapes all text


def _plain(cell: Cell) -> str:
    """A cell without markup, for the page's title."""
    return spaced(name(part.text) for part in cell if isinstance(part, Text | Words))


def _part(part: Part) -> Markup:
    """One part. `Markup` escapes whatever is put into it with `%`."""
    match part:
        case Text(text):
            shown = name(text, _NAME_LIMIT)
            return (_SHORT if len(shown) <= _SHORT_LENGTH else _CODE) % shown
        case Words(text):
            return _words(text)
        case Number(text):
            return _NUMBER % visible(shorten(text, _NAME_LIMIT))
        case Pair(old, new):
            return _PAIR % (_part(old), _part(new))
        case State(mark, word):
            return _STATE % (mark.style, mark.value, word)
        case Move():
            return _move(part)
        case Break():
            return _BREAK


_SHORT_LENGTH = 14  # a name or a short digest that looks broken when it is broken
_SHORT = Markup('<code class="short">%s</code>')
_CODE = Markup("<code>%s</code>")
_NUMBER = Markup('<span class="number">%s</span>')
_PAIR = Markup("%s&nbsp;→ %s")
_STATE = Markup('<span class="state %s"><span aria-hidden="true">%s</span> %s</span>')
_MOVE = Markup('<span class="move %s">%s<span class="number">%s</span> <b>%s</b></span>')
_BREAK = Markup("<br>")
_BAR = Markup(
    '<svg class="bar" viewBox="-1 0 2 1" preserveAspectRatio="none" aria-hidden="true">'
    '<rect x="%s" width="%s" height="1"/></svg>'
)


def _words(text: str) -> Markup:
    return Markup("").join(
        _CODE % run if is_code else run for is_code, run in pieces(text, _SENTENCE_LIMIT)
    )


def _move(move: Move) -> Markup:
    bar = Markup("") if move.bar is None else _BAR % (min(move.bar, 0), abs(move.bar))
    percent = f"({move.percent})" if move.percent else ""
    amount = " ".join(filter(None, (move.arrow, move.amount, percent)))
    return _MOVE % (move.effect.name.lower(), bar, amount, move.effect.value)
