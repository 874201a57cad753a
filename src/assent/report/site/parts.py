"""What a page of the site is made of."""

from __future__ import annotations

from typing import Any

import msgspec
from markupsafe import Markup


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of every part of a page."""


class Table(Struct, frozen=True, kw_only=True):
    """Rows of markup. Numbers stand below each other in the columns that are named in `right`.
    `left` rows are not here, and `where` says where they are. `anchors` are the names by which
    links find a row. What `is_stacked` becomes a list on a phone: its cells tell by themselves what
    they are.
    """

    title: str
    columns: tuple[str | Markup, ...]
    rows: list[list[Markup]]
    right: frozenset[int] = frozenset()
    left: int = 0
    where: str = ""
    anchors: tuple[str, ...] = ()
    is_stacked: bool = False
    made: Markup | None = None


class Figure(Struct, frozen=True, kw_only=True):
    """A drawing that `report.charts` or this room has made, in which all text is escaped."""

    title: Markup
    drawing: Markup
    note: Markup = Markup("")
    is_wide: bool = False


class Section(Struct, frozen=True, kw_only=True):
    """A part of a page, in the order in which it is read: its lines, tables, figures, commands."""

    title: str
    summary: Markup | str = ""
    lines: tuple[Markup, ...] = ()
    table: Table | None = None
    figures: tuple[Figure, ...] = ()
    commands: tuple[str, ...] = ()
    anchor: str = ""
    is_folded: bool = False


class Card(Struct, frozen=True, kw_only=True):
    """One of many things of a kind, in short."""

    title: Markup
    note: str = ""
    tone: str = "calm"
    facts: tuple[tuple[str | Markup, Markup], ...] = ()
    lines: tuple[Markup, ...] = ()
    drawing: str = ""
    figure: Markup = Markup("")


class Content(Struct, frozen=True, kw_only=True):
    """What a page says: the way to it, its heading with facts, what must be known before the rest
    is read (`notices`), and its sections. `form` names what the script of the site fills.
    """

    title: str
    heading: Markup
    crumbs: tuple[Markup, ...] = ()
    tone: str = "calm"
    facts: tuple[tuple[str | Markup, Markup], ...] = ()
    notices: tuple[Markup, ...] = ()
    tabs: Markup = Markup("")
    cards: tuple[Card, ...] = ()
    sections: tuple[Section, ...] = ()
    form: str = ""
    form_values: dict[str, Any] = {}
    scripts: tuple[str, ...] = ()
    footer: tuple[Markup, ...] = ()
