"""The tables of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.statistics.coverage import Coverage
from benchmarks.statistics.gates import MARGIN, Judged
from benchmarks.statistics.populations import POPULATIONS

BEGIN = "<!-- Made by `python -m benchmarks.statistics --write`. -->"
END = "<!-- The end of what is made. -->"


def tables(covered: Sequence[Coverage], judged: Sequence[Judged]) -> str:
    """Both tables as Markdown, with the marks between which they stand."""
    return "\n".join([BEGIN, "", *_coverage(covered), "", *_gates(judged), "", END])


def _coverage(covered: Sequence[Coverage]) -> Iterable[str]:
    notes = {one.name: one.note for one in POPULATIONS}
    runs = max((one.runs for one in covered), default=0)
    yield (
        f"Of {runs:,} samples each: how often the 95% interval of the change holds the true change "
        "(of the samples that have an interval), how often the truth lies below and above it, and "
        "how often there is none because nothing can be said."
    )
    yield ""
    yield "| population | rows | metric | holds | below | above | none |"
    yield "|---|---|---|---|---|---|---|"
    for one in covered:
        note = f" ({notes[one.population]})" if notes.get(one.population) else ""
        holds = "–" if one.silent > 0.5 else f"{one.covered:.1%}"  # noqa: RUF001
        yield (
            f"| {one.population}{note} | {one.rows:,} | {one.metric} | {holds} "
            f"| {one.above:.1%} | {one.below:.1%} | {one.silent:.0%} |"
        )


def _gates(judged: Sequence[Judged]) -> Iterable[str]:
    yield (
        f"What `{{metric: accuracy, max_drop: {MARGIN}, confident: true}}` does where the models "
        "differ on a tenth of the rows, by how much the accuracy really falls. The last column is "
        "the same gate without `confident`."
    )
    yield ""
    yield "| rows | true fall | passed | a person decides | failed | passed by the value alone |"
    yield "|---|---|---|---|---|---|"
    for one in judged:
        yield (
            f"| {one.rows:,} | {one.drop:g} | {one.passed:.0%} | {one.open:.0%} "
            f"| {one.failed:.0%} | {one.by_value:.0%} |"
        )
