"""A page of the site: where it stands, what it is made of, and its bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Literal

import msgspec
from markupsafe import Markup

from assent import __version__
from assent.core.digest import Digest, digest_of, digest_of_value
from assent.report.escape import visible
from assent.report.markup import environment
from assent.report.site.addresses import root_from
from assent.report.site.filling import fill, inert, together

_TEMPLATES = ("style.css", "site/site.css", "site/site.js", "site/page.html")


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of every part of a page."""


class Page(Struct, frozen=True, kw_only=True):
    """A file of the site. `given` is all that its bytes are made of: with the same `digest` they
    are the same, and need not be made again.
    """

    path: str
    given: Any
    make: Callable[[], str]

    @property
    def digest(self) -> Digest:
        """The digest of all that the page is made of."""
        return digest_of(msgspec.json.encode([look(), self.path, self.given]))

    def content(self) -> bytes:
        """The bytes of the file."""
        return self.make().encode()


Align = Literal["left", "right"]


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

    @property
    def head(self) -> Markup:
        """The names of the columns."""
        return _head(self.columns, self.right)

    @property
    def body(self) -> Markup:
        """The rows as markup. Of many pages this is most of the work, so no template does it."""
        open_cells = ['<td class="right">' if at in self.right else "<td>" for at in _COLUMNS]
        first = '<th scope="row" class="right">' if 0 in self.right else '<th scope="row">'
        parts: list[str] = []
        for at, row in enumerate(self.rows):
            parts += (f'<tr id="{self.anchors[at]}">' if self.anchors else "<tr>", first)
            parts += (inert(row[0]), "</th>")
            for column, cell in enumerate(row[1:], 1):
                parts += (open_cells[column], inert(cell), "</td>")
            parts.append("</tr>\n")
        return together(parts)


@lru_cache(200)
def _head(columns: tuple[str | Markup, ...], right: frozenset[int]) -> Markup:
    return together(
        fill(
            '<th scope="col" class="right">%s</th>' if at in right else '<th scope="col">%s</th>',
            column,
        )
        for at, column in enumerate(columns)
    )


_COLUMNS = range(32)
"""A table has no more columns than that."""


class Figure(Struct, frozen=True, kw_only=True):
    """A drawing that `report.charts` or this room has made, in which all text is escaped."""

    title: Markup
    drawing: str
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


def page(path: str, given: Any, content: Callable[[], Content]) -> Page:
    """A page of the one look. `content` is asked only where the page has to be written."""
    return Page(path=path, given=given, make=lambda: _rendered(path, content()))


def look_pages() -> tuple[Page, ...]:
    """The style sheet and the script that all pages share."""

    def style() -> str:
        return _source("style.css") + _source("site/site.css")

    return (
        Page(path="style.css", given="", make=style),
        Page(path="site.js", given="", make=lambda: _source("site/site.js")),
    )


def script(path: str, function: str, values: Callable[[], list[Any]], given: Any) -> Page:
    """A script that hands values to a function of the site's script: pages that are opened as files
    may load scripts, and nothing else.
    """
    return Page(
        path=path,
        given=given,
        make=lambda: f"assent.{function}({','.join(map(literal, values()))});\n",
    )


def literal(value: Any) -> str:
    """A value as an expression of JavaScript that is inert in HTML as well: nothing but ASCII, and
    none of the signs that HTML is made of. There are no objects, whose keys could mean something.
    """
    text = msgspec.json.encode(value).decode()
    return _NOT_INERT.sub(lambda match: "".join(map(_escaped, _utf16(match.group()))), text)


_NOT_INERT = re.compile(r"[^ -~]|[<>&]")


def _escaped(unit: int) -> str:
    return f"\\u{unit:04x}"


def _utf16(character: str) -> list[int]:
    raw = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


@cache
def look() -> Digest:
    """The digest of what all pages are made with."""
    return digest_of_value([__version__, [_source(name) for name in _TEMPLATES]])


def _source(name: str) -> str:
    made = environment()
    assert made.loader is not None
    return made.loader.get_source(made, name)[0]


def _rendered(path: str, content: Content) -> str:
    template = environment().get_template("site/page.html")
    return template.render(
        content=content, root=root_from(path), path=path, title=visible(content.title)
    )
