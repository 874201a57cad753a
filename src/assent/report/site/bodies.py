"""Tables and sections of a page as markup. Of ten thousand pages this is most of the work, so no
template does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from markupsafe import Markup

from assent.report.escape import visible
from assent.report.site.filling import fill, inert, together
from assent.report.site.parts import Figure, Section, Table

_COLUMNS = range(32)
"""A table has no more columns than that."""


def section_markup(section: Section) -> Markup:
    """A section with all that is in it."""
    opening = fill('<section id="%s">', section.anchor) if section.anchor else "<section>"
    form = _FOLDED if section.is_folded else _OPEN
    title = fill(form, section.title, section.summary, body_markup(section))
    return together((opening, title, "</section>\n"))


_OPEN = '\n<div class="title"><h2>%s</h2><p>%s</p></div>\n%s'
_FOLDED = (
    '\n<details><summary><span class="title"><b>%s</b> <span>%s</span></span></summary>\n'
    "%s</details>\n"
)


def body_markup(section: Section) -> Markup:
    """What stands below the title of a section."""
    parts: list[str] = []
    if section.figures:
        parts.append(_figures(section.figures))
    if section.lines:
        parts.append('<ul class="lines">')
        parts += (fill("<li>%s</li>", line) for line in section.lines)
        parts.append("</ul>\n")
    if section.table is not None:
        parts.append(table_markup(section.table))
    if section.commands:
        lines = "".join(f"{visible(line)}\n" for line in section.commands)
        parts.append(fill(_COMMANDS, section.title, lines))
    return together(parts)


_COMMANDS = '<pre tabindex="0" role="region" aria-label="%s">%s</pre>\n'


def _figures(figures: Sequence[Figure]) -> Markup:
    """Charts beside one another; or one picture, drawn for a desk and for a phone."""
    if not any(figure.is_wide for figure in figures):
        charts = (fill(_CHART, figure.title, figure.note, figure.drawing) for figure in figures)
        return together(('<div class="charts">\n', *charts, "</div>\n"))
    drawn = (fill(_DESK if figure.is_wide else _PHONE, figure.drawing) for figure in figures)
    return together(('<div class="picture">', *drawn, "</div>\n"))


_CHART = '<figure><figcaption><b>%s</b> <span class="soft">%s</span></figcaption>%s</figure>\n'
_DESK, _PHONE = '<div class="desk">%s</div>', '<div class="phone">%s</div>'


def table_markup(table: Table) -> Markup:
    """A table, and what of it is elsewhere."""
    head = _head(table.title, table.columns, table.right, table.is_stacked)
    left = ""
    if table.left > 0:
        left = fill('<p class="soft">… %s more in %s.</p>\n', f"{table.left:,}", table.where)
    return together((head, table.made or rows_markup(table), "</tbody>\n</table>\n</div>\n", left))


@lru_cache(200)
def _head(
    title: str, columns: tuple[str | Markup, ...], right: frozenset[int], is_stacked: bool
) -> Markup:
    cells = together(
        fill(_RIGHT if at in right else _LEFT, column) for at, column in enumerate(columns)
    )
    style = "events" if columns[2:3] == ("What",) else ""
    stacked = fill(' class="stacked %s"', style) if is_stacked else Markup("")
    return fill(_TABLE, title, stacked, title, cells)


_RIGHT, _LEFT = '<th scope="col" class="right">%s</th>', '<th scope="col">%s</th>'
_TABLE = (
    '<div class="wide" role="region" tabindex="0" aria-label="%s">\n'
    '<table%s>\n<caption class="unseen">%s</caption>\n<thead><tr>%s</tr></thead>\n<tbody>\n'
)


def rows_markup(table: Table) -> Markup:
    """The rows of a table."""
    open_cells = ['<td class="right">' if at in table.right else "<td>" for at in _COLUMNS]
    first = '<th scope="row" class="right">' if 0 in table.right else '<th scope="row">'
    parts: list[str] = []
    for at, row in enumerate(table.rows):
        parts += (f'<tr id="{table.anchors[at]}">' if table.anchors else "<tr>", first)
        parts += (inert(row[0]), "</th>")
        for column, cell in enumerate(row[1:], 1):
            parts += (open_cells[column], inert(cell), "</td>")
        parts.append("</tr>\n")
    return together(parts)
