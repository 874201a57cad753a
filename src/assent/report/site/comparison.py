"""The comparison of any two versions. What each is made of lies in a script of its own; the page
loads two of them and compares them where it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import msgspec

from assent.compare.measured_on import is_evaluation
from assent.core.diff.metrics import Better
from assent.core.digest import digest_of, short
from assent.core.entry import Kind
from assent.core.evidence import DataReference, Environment, Evidence
from assent.core.scalar import Scalar, show_exactly
from assent.core.scalar import number as finite
from assent.report.escape import shorten, visible
from assent.report.site.addresses import of_model, script_of
from assent.report.site.filling import fill
from assent.report.site.pages import Page, page, script
from assent.report.site.parts import Content
from assent.report.site.pen import Pen
from assent.report.site.tabs import crumbs, tabs
from assent.report.site.told import ModelTold
from assent.report.site.version import VersionTold, environment_values

MAX_ROWS = 5_000
_TEXT = 300

Row = list[Any]
"""Name, value as text, or null where it is not known, number or null, and a word on it: which way
is better, or of a data set that models are measured on it. A section has a title, rows, how many
were left out, and why some of it is not known.
"""


def comparison_page(told: ModelTold) -> Page:
    """The page: it holds the numbers of the versions and nothing else of them."""
    path = of_model(told.model, "compare")
    numbers = list(told.history.versions)

    def content() -> Content:
        pen_ = Pen(path)
        held = told.history.holding(told.history.last_stage)
        return Content(
            title=f"{told.model}: compare",
            heading=fill("%s: compare two versions", pen_.model(told.model)),
            crumbs=crumbs(pen_, told.model),
            tabs=tabs(told.model, "compare"),
            form="compare",
            form_values={
                "versions": numbers[::-1],
                "old": _older(numbers, None if held is None else held.version),
                "new": numbers[-1] if numbers else 0,
            },
        )

    held_now = [[stay.stage, stay.version] for stay in told.history.stays if stay.until is None]
    return page(path, [told.model, numbers, held_now, told.history.stages], content)


def _older(numbers: list[int], held: int | None) -> int:
    """What the newest version is compared with first: what is in the last stage, or the one before
    it.
    """
    if not numbers:
        return 0
    if held is not None and held != numbers[-1]:
        return held
    return numbers[-2] if len(numbers) > 1 else numbers[-1]


def version_script(told: VersionTold) -> Page:
    """What a version is made of, for the comparison."""
    number = told.history.number
    path = script_of(told.model, number)
    return script(path, "version", lambda: [number, _told(told)], told.given)


def _told(told: VersionTold) -> list[Any]:
    history, evidence, bundle = told.history, told.facts.evidence, told.facts.bundle
    registered = history.registered
    head: list[Row] = [
        _row("registered", registered.at),
        _row("by", registered.actor.login),
        _row("stages", ", ".join(stay.stage for stay in history.holding) or "none"),
        _row("bundle", history.bundle),
    ]
    if history.last(Kind.PURGED) is not None:
        head.append(_row("purged", "yes"))
    sections: list[list[Any]] = [["Version", head, 0]]
    if registered.verdict is not None:
        findings = registered.verdict.findings
        rows = [
            _row(finding.rule, f"{finding.outcome.value}: {finding.reason}")
            for finding in findings[:MAX_ROWS]
        ]
        sections.append(["Gates", rows, len(findings) - len(rows)])
    if evidence is not None:
        sections += _of_evidence(evidence, told.better)
    if bundle is not None:
        files = {file.path: f"{file.digest} ({file.size_bytes:,} B)" for file in bundle.files}
        sections.append(_texts("Files", files.items()))
    return [told.facts.problem, sections]


def _of_evidence(evidence: Evidence, better: Mapping[str, Better]) -> list[Any]:
    data = [
        _row(
            reference.name, _content(reference), None, "measured on" * is_evaluation(reference.name)
        )
        for reference in evidence.data[:MAX_ROWS]
    ]
    code = {
        "commit": evidence.code.commit,
        "branch": evidence.code.branch,
        "uncommitted changes": "yes" if evidence.code.is_dirty else "no",
        "train": "" if evidence.train is None else evidence.train.command,
        "evaluate": "" if evidence.evaluate is None else evidence.evaluate.command,
    }
    return [
        _values("Metrics", evidence.metrics, better),
        _values("Parameters", evidence.params),
        ["Data", data, len(evidence.data) - len(data)],
        _texts("Code", code.items()),
        *_environment_of(msgspec.json.encode(evidence.environment)),
    ]


@lru_cache(100)
def _environment_of(encoded: bytes) -> tuple[msgspec.Raw, ...]:
    """The same for all versions that were made in one environment: it has hundreds of packages."""
    environment = msgspec.json.decode(encoded, type=Environment)
    sections = (
        _values("Environment", environment_values(environment)),
        [*_texts("Packages", environment.packages.items()), environment.packages_gap or ""],
    )
    return tuple(msgspec.Raw(msgspec.json.encode(section)) for section in sections)


def _content(reference: DataReference) -> str | None:
    """Which content a data set had, if that is known."""
    content = reference.digest or reference.snapshot
    if content is None:
        return None
    return content + ("" if reference.rows is None else f" ({reference.rows:,} rows)")


def _values(
    title: str, values: Mapping[str, Scalar], better: Mapping[str, Better] = MappingProxyType({})
) -> list[Any]:
    rows = [
        _row(name, None if value is None else _text(value), finite(value), better.get(name))
        for name, value in sorted(values.items())[:MAX_ROWS]
    ]
    return [title, rows, len(values) - len(rows)]


def _text(value: Scalar) -> str:
    """A value so that no two different ones read the same: `"1"` is not 1."""
    return f'"{value}"' if isinstance(value, str) else show_exactly(value)


def _texts(title: str, values: Iterable[tuple[str, str | None]]) -> list[Any]:
    every = sorted(values)  # so that of two versions the same are left out
    rows = [_row(name, text) for name, text in every[:MAX_ROWS]]
    return [title, rows, len(every) - len(rows)]


def _row(
    name: str, text: str | None, number: float | int | None = None, better: str | None = None
) -> Row:
    if isinstance(number, int) and abs(number) > 2**53:
        number = None  # the page counts in floats
    return [_told_apart(name), None if text is None else _told_apart(text), number, better]


def _told_apart(text: str) -> str:
    """`text` as it can be shown; where that is not all of it, with its digest, so that two texts
    are equal only if they are.
    """
    if len(text) <= _TEXT and text.isascii() and text.isprintable():
        return text
    shown = visible(shorten(text, _TEXT))
    if shown == text:
        return shown
    return f"{shown} ({short(digest_of(text.encode('utf-8', 'surrogatepass')))})"
