"""The values that a document is made of. A cell is untrusted text unless its author says more."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

import msgspec

from assent.core.comment_layout import Topic
from assent.core.digest import Digest
from assent.report.numbers import Effect


class Struct(msgspec.Struct, frozen=True):
    """The shape of every part of a document."""


class Mark(StrEnum):
    """A sign that is never alone: a word always stands beside it."""

    PASSED = "✅"
    FAILED = "❌"
    WAITING = "⏳"
    WARNED = "\N{WARNING SIGN}\N{VARIATION SELECTOR-16}"
    NEUTRAL = "\N{HEAVY MINUS SIGN}"

    @property
    def style(self) -> str:
        """The mark's name in a style sheet."""
        return self.name.lower()


class Text(Struct, frozen=True):
    """Untrusted text: shown as code. The default of every cell."""

    text: str


class Words(Struct, frozen=True):
    """A sentence by Assent. Names in it are untrusted, and anything unusual is shown as code."""

    text: str


class Link(Struct, frozen=True):
    """Untrusted text that leads to an address, if that is an ordinary one of the web."""

    text: str
    address: str


class Person(Struct, frozen=True):
    """Somebody who is called, so that the forge tells them."""

    text: str


class Number(Struct, frozen=True):
    """Digits and units."""

    text: str


class Pair(Struct, frozen=True):
    """A value before and after."""

    old: Text | Number
    new: Text | Number


class State(Struct, frozen=True):
    """A mark and its word."""

    mark: Mark
    word: str


class Move(Struct, frozen=True):
    """How a number moved. `bar` is its relative size from -1 to 1, None where there is none."""

    effect: Effect
    arrow: str = ""
    amount: str = ""
    percent: str = ""
    bar: float | None = None


class Break(Struct, frozen=True):
    """A new line inside a cell."""


Part = Text | Link | Person | Words | Number | Pair | State | Move | Break
Cell = tuple[Part, ...]
"""Parts with one space between them, and none before a punctuation mark."""
Row = tuple[Cell, ...]


class Column(Struct, frozen=True):
    """A column's heading, and whether it holds nothing but numbers that are to be compared."""

    title: str
    is_of_numbers: bool = False

    @property
    def align(self) -> Literal["left", "right"]:
        """Where its cells begin: digits of one rank stand below each other."""
        return "right" if self.is_of_numbers else "left"


class Table(Struct, frozen=True, kw_only=True):
    """Rows, the most important first. `total` counts those that were not made as well; the
    first `kept` are the last to go when space is short.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: int
    kept: int = 0
    is_folded: bool = False

    @property
    def is_list(self) -> bool:
        """Whether there is one column, whose heading would only repeat the title."""
        return len(self.columns) == 1


class Chart(Struct, frozen=True, kw_only=True):
    """A drawing for the full report; a comment leaves it out, and a table says the same.
    `drawing` is an SVG element made by `report.charts`, in which all text is escaped already.
    """

    title: Cell
    drawing: str
    note: Cell = ()
    is_folded: bool = False


class Picture(Struct, frozen=True, kw_only=True):
    """A plot of the team for the full report: its name, and the image as a `data:` address."""

    name: str
    address: str


class Section(Struct, frozen=True, kw_only=True):
    """A part of the report. One without tables and notes is said in one line. `charts` and
    `pictures` are shown by the full report only. A comment folds all of it but its line, unless it
    `is_urgent`: then only what is folded of it is. `is_unchanged`: everything was looked at, and is
    the same.
    """

    title: str
    summary: Cell
    is_urgent: bool = False
    is_unchanged: bool = False
    tables: tuple[Table, ...] = ()
    notes: tuple[Cell, ...] = ()
    charts: tuple[Chart, ...] = ()
    pictures: tuple[Picture, ...] = ()


class Document(Struct, frozen=True, kw_only=True):
    """The verdict, the figures that decide, what no gate judges, who has to decide what, and the
    sections in the order in which they are read. `subject` is what the change is called, and where
    it is; `unchanged` what a comment tells of sections that it leaves out.
    """

    model: str
    bundle: Digest
    mark: Mark
    headline: Cell
    subject: tuple[Cell, ...]
    figures: Table
    look_at: Table
    to_decide: tuple[Cell, ...]
    notes: tuple[Table, ...]
    sections: dict[Topic, Section]
    footer: tuple[Cell, ...]
    unchanged: Cell = ()


def cell(*parts: str | Part) -> Cell:
    """A cell. A plain string is untrusted text."""
    return tuple(Text(part) if isinstance(part, str) else part for part in parts)


def linked(text: str, address: str | None) -> Text | Link:
    """Text that leads somewhere, if there is an address."""
    return Text(text) if address is None else Link(text, address)


def spaced(rendered: Iterable[str]) -> str:
    """Rendered parts of a cell as one text."""
    line: list[str] = []
    for part in rendered:
        if line and not part.startswith(_TIGHT):
            line.append(" ")
        line.append(part)
    return "".join(line)


_TIGHT = (".", ",", ";", ":", ")")
