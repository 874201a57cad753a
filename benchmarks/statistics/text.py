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
    notes = {population.name: population.note for population in POPULATIONS}
    runs = max((row.runs for row in covered), default=0)
    yield (
        f"Of {runs:,} samples each: how often the 95% interval of the change holds the true change "
        "(of the samples that have an interval), how often the truth lies below and above it, and "
        "how often there is none because nothing can be said."
    )
    yield ""
    yield "| population | rows | metric | holds | below | above | none |"
    yield "|---|---|---|---|---|---|---|"
    for row in covered:
        note = f" ({notes[row.population]})" if notes.get(row.population) else ""
        holds = "–" if row.silent > 0.5 else f"{row.covered:.1%}"  # noqa: RUF001
        yield (
            f"| {row.population}{note} | {row.rows:,} | {row.metric} | {holds} "
            f"| {row.above:.1%} | {row.below:.1%} | {row.silent:.0%} |"
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
    for row in judged:
        yield (
            f"| {row.rows:,} | {row.drop:g} | {row.passed:.0%} | {row.open:.0%} "
            f"| {row.failed:.0%} | {row.by_value:.0%} |"
        )
