"""The comment on the change: Markdown that is inert, short enough, and readable on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec
from msgspec.structs import replace

from assent.core.comment_layout import CommentLayout
from assent.core.digest import Digest, digest_of
from assent.report.document import to_document
from assent.report.escape import (
    NAME_LIMIT,
    SENTENCE_LIMIT,
    code,
    code_element,
    is_address,
    mention,
    prose,
    prose_element,
)
from assent.report.numbers import Effect, count
from assent.report.parts import (
    Break,
    Cell,
    Document,
    Link,
    Move,
    Number,
    Pair,
    Part,
    Person,
    Section,
    State,
    Table,
    Text,
    Words,
    cell,
    spaced,
)
from assent.report.review import ReviewReport

LIMIT = 60_000
LEAST_LIMIT = 30_000
_MODEL = re.compile(r"[A-Za-z0-9._-]{1,200}")
_EVERYTHING = CommentLayout()
_SCALES = (1.0, 0.3, 0.1)
_NBSP = "\N{NO-BREAK SPACE}"
_ITEM = "\n- {}"
_ROW = "\n| {} |"
_FOLD_END = "\n\n</details>"


def marker(model: str) -> str:
    """The hidden first line by which the comment of one model is found again. A name that no
    configuration allows stands there as its digest: it could end the comment, or be too long.
    """
    is_safe = _MODEL.fullmatch(model)
    shown = model if is_safe else digest_of(model.encode(errors="surrogatepass"))
    return f"<!-- assent:model={shown} -->"


def bundle_marker(bundle: Digest) -> str:
    """The hidden second line: the bundle that the comment shows."""
    return f"<!-- assent:bundle={bundle} -->"


def to_markdown(
    report: ReviewReport,
    *,
    limit_chars: int = LIMIT,
    limit_bytes: int = LIMIT,
    full_report: str | None = None,
    layout: CommentLayout = _EVERYTHING,
) -> str:
    """The review as a comment, within both limits (at least `LEAST_LIMIT` each).

    When space is short whole rows go, from each table its fair share, with a count and the name
    or address of the full report. The verdict, what failed and the approvals go last: before
    that the texts themselves are shortened.
    """
    limit = max(LEAST_LIMIT, min(limit_chars, limit_bytes))  # a character is at least a byte
    return _laid_out(laid_out(to_document(report), layout), full_report, limit)


def laid_out(document: Document, layout: CommentLayout) -> Document:
    """The document with the sections of a layout. None that is urgent is left out."""
    sections = document.sections
    topics = [topic for topic in layout.sections if topic in sections]
    urgent = [topic for topic in sections if sections[topic].is_urgent and topic not in topics]
    shown = {topic: sections[topic] for topic in (*urgent, *topics)}
    if layout.quiet is None:
        return replace(document, sections=shown)
    quiet = [topic for topic, section in shown.items() if section.is_unchanged]
    titles = [shown.pop(topic).title for topic in quiet]
    named = cell(Words(f"Unchanged: {', '.join(titles)}."))
    return replace(document, sections=shown, unchanged=named if titles else ())


def sections_to_markdown(sections: Sequence[Section], *, limit: int = LIMIT) -> str:
    """Sections alone, as inert Markdown within the limit."""
    return _laid_out(sections, None, limit).lstrip("\n") + "\n"


def _laid_out(content: Document | Sequence[Section], full_report: str | None, limit: int) -> str:
    for scale in _SCALES:
        layout = _Layout(content, full_report, scale, limit)
        if layout.keeps_everything_kept:
            break
    return layout.text()


class _Block(msgspec.Struct, kw_only=True):
    """Rows that may be cut, as Markdown. `shown` of them are written."""

    rows: list[str]
    kept: int
    total: int
    shown: int = 0


class _Layout:
    """The comment as fixed texts and blocks of rows, and how many rows of each block fit."""

    def __init__(
        self,
        content: Document | Sequence[Section],
        full_report: str | None,
        scale: float,
        limit: int,
    ) -> None:
        self._scale = scale
        self._limit = limit
        self._full = _reference(full_report)
        self._parts: list[str | _Block] = []
        self._has_room = True
        if isinstance(content, Document):
            self._build(content)
        else:
            for section in content:
                self._section(section)
        self._fit()

    @property
    def keeps_everything_kept(self) -> bool:
        """Whether there was room for all that is no row, and no row that is to be kept was cut."""
        return self._has_room and all(block.shown >= block.kept for block in self._blocks)

    def text(self) -> str:
        """The comment."""
        return "".join(
            part if isinstance(part, str) else self._written(part) for part in self._parts
        )

    @property
    def _blocks(self) -> list[_Block]:
        return [part for part in self._parts if isinstance(part, _Block)]

    def _build(self, document: Document) -> None:
        headline = self._cell(document.headline)
        self._parts.append(
            f"{marker(document.model)}\n{bundle_marker(document.bundle)}\n\n"
            f"## {document.mark} {headline}"
        )
        if document.subject:
            subject = " · ".join(map(self._cell, document.subject))
            full = f" · {self._full}" if self._full else ""
            self._parts.append(f"\n\n{subject}{full}")
        if document.figures.rows:
            self._table(document.figures)
        if document.look_at.rows:
            self._parts.append(f"\n\n**{prose(document.look_at.title)}**\n")
            self._parts.append(self._block(document.look_at, _ITEM))
        self._parts.append("\n\n**To decide**\n")
        for step in document.to_decide:
            self._parts.append(f"\n- {self._cell(step)}")
        if document.notes:
            self._parts.append("\n\n**Please note**")
            for table in document.notes:
                self._table(table)
        for section in document.sections.values():
            self._folded(section)
        if document.unchanged:
            self._parts.append(f"\n\n{self._cell(document.unchanged)}")
        footer = " · ".join(self._cell(cell) for cell in document.footer)
        full = f" · {self._full}" if self._full else ""
        self._parts.append(f"\n\n---\n\n<sub>{footer}{full}</sub>\n")

    def _section(self, section: Section) -> None:
        title, summary = prose(section.title), self._cell(section.summary)
        if not section.tables and not section.notes:
            self._parts.append(f"\n\n**{title}:** {summary}")
            return
        self._parts.append(f"\n\n### {title}\n\n{summary}")
        for note in section.notes:
            self._parts.append(f"\n\n{self._cell(note)}")
        for table in section.tables:
            self._table(table)

    def _folded(self, section: Section) -> None:
        """A section behind its line, unless it is urgent or no more than that."""
        if section.is_urgent or not (section.tables or section.notes):
            self._section(section)
            return
        summary = spaced(map(self._element, section.summary))
        title = f"<b>{prose_element(section.title)}:</b> {summary}"
        self._parts.append(f"\n\n<details><summary>{title}</summary>")
        for note in section.notes:
            self._parts.append(f"\n\n{self._cell(note)}")
        for table in section.tables:
            is_alone = len(section.tables) == 1
            self._table(replace(table, is_folded=False) if is_alone else table)
        self._parts.append(_FOLD_END)

    def _table(self, table: Table) -> None:
        if table.is_folded:
            title = prose_element(table.title)
            self._parts.append(f"\n\n<details><summary>{title}</summary>")
        if table.is_list:
            self._parts.append("\n")
            self._parts.append(self._block(table, _ITEM))
        else:
            heads = " | ".join(prose(column.title) or " " for column in table.columns)
            rules = " | ".join(_RULES[column.align] for column in table.columns)
            self._parts.append(f"\n\n| {heads} |\n| {rules} |")
            self._parts.append(self._block(table, _ROW))
        if table.is_folded:
            self._parts.append(_FOLD_END)

    def _block(self, table: Table, form: str) -> _Block:
        """The rows that could fit if there were nothing else."""
        rows: list[str] = []
        spent = 0
        for row in table.rows:
            rows.append(form.format(" | ".join(map(self._cell, row))))
            spent += _cost(rows[-1])
            if spent > self._limit:
                break
        return _Block(rows=rows, kept=min(table.kept, table.total), total=table.total)

    def _fit(self) -> None:
        blocks = self._blocks
        fixed = sum(_cost(part) for part in self._parts if isinstance(part, str))
        left = self._limit - fixed - sum(_cost(self._more(block.total)) for block in blocks)
        self._has_room = left >= 0
        for block in blocks:
            block.shown, left = _fill(block, block.kept, left)
        # Max-min fair: who needs least is served first, and leaves the rest to the others.
        hungry = sorted(blocks, key=lambda block: sum(map(_cost, block.rows[block.shown :])))
        for at, block in enumerate(hungry):
            share = left // (len(hungry) - at)
            block.shown, unused = _fill(block, len(block.rows), share)
            left -= share - unused

    def _written(self, block: _Block) -> str:
        hidden = block.total - block.shown
        return "".join(block.rows[: block.shown]) + (self._more(hidden) if hidden else "")

    def _more(self, hidden: int) -> str:
        where = f" · {self._full}" if self._full else ""
        return f"\n\n… {count(hidden, 'more row')}{where}"

    def _cell(self, cell: Cell) -> str:
        return spaced(map(self._part, cell))

    def _element(self, part: Part) -> str:
        """A part where Markdown is not read."""
        match part:
            case Text(text) | Link(text) | Person(text):
                return code_element(text, round(NAME_LIMIT * self._scale))
            case Words(text):
                return prose_element(text, round(SENTENCE_LIMIT * self._scale))
            case Number(text):
                return prose_element(text)
            case Pair(old, new):
                return f"{self._element(old)}{_NBSP}→ {self._element(new)}"
            case _:  # marks, arrows and words of ours
                return self._part(part).replace("**", "")

    def _part(self, part: Part) -> str:
        match part:
            case Text(text):
                return code(text, round(NAME_LIMIT * self._scale))
            case Link(text, address):
                shown = code(text, round(NAME_LIMIT * self._scale))
                return f"[{shown}]({address})" if is_address(address) else shown
            case Person(text):
                return mention(text) or code(text, round(NAME_LIMIT * self._scale))
            case Words(text):
                return prose(text, round(SENTENCE_LIMIT * self._scale))
            case Number(text):
                return prose(text)
            case Pair(old, new):
                return f"{self._part(old)}{_NBSP}→ {self._part(new)}"
            case State(mark, word):
                return f"{mark}{_NBSP}{word}"
            case Move():
                return _move(part)
            case Break():
                return "<br>"


_ALARMING = (Effect.MISSING, Effect.NO_NUMBER, Effect.WORSE)
_RULES = {"left": ":--", "right": "--:"}


def _fill(block: _Block, until: int, budget: int) -> tuple[int, int]:
    """How many rows up to `until` are shown with `budget`, and what is left of it."""
    shown = block.shown
    for row in islice(block.rows, shown, until):
        cost = _cost(row)
        if cost > budget:
            break
        budget -= cost
        shown += 1
    return shown, budget


def _cost(text: str) -> int:
    return len(text.encode())


def _move(move: Move) -> str:
    return " ".join(filter(None, _move_parts(move)))


def _move_parts(move: Move) -> Iterator[str]:
    yield move.arrow
    yield prose(move.amount)
    yield f"({prose(move.percent)})" if move.percent else ""
    yield f"**{move.effect}**" if move.effect in _ALARMING else move.effect


def _reference(full_report: str | None) -> str:
    """The full report as a link if it is an ordinary web address, else its name."""
    if full_report is None:
        return ""
    if is_address(full_report):
        return f"[full report]({full_report})"
    return f"full report: {code(full_report)}"
