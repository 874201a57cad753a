"""What a benchmark says: figures, each with its goal if it has one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from benchmarks.measure import Ratio, Samples


@dataclass(frozen=True)
class Figure:
    """One line. `value` is in words and units; `met` is None where there is no goal."""

    benchmark: str
    what: str
    value: str
    goal: str = ""
    met: bool | None = None
    numbers: dict[str, float] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        return {None: "", True: "MET", False: "MISSED"}[self.met]


def against(
    benchmark: str, what: str, measured: Samples, floor: str, held: Ratio, limit: float | None
) -> Figure:
    """A figure that is a ratio to a floor."""
    return Figure(
        benchmark,
        what,
        f"{milliseconds(measured.wall_s)}, {held} times {floor}",
        goal="" if limit is None else f"at most {limit:g} times",
        met=None if limit is None else held.value <= limit,
        numbers=numbers(measured) | {"ratio": held.value, "low": held.low, "high": held.high},
    )


def plain(benchmark: str, what: str, measured: Samples) -> Figure:
    """A figure without a goal."""
    value = f"{milliseconds(measured.wall_s)} ({milliseconds(measured.cpu_s)} of CPU)"
    return Figure(benchmark, what, value, numbers=numbers(measured))


def numbers(measured: Samples) -> dict[str, float]:
    """The medians for machines."""
    return {
        "wall_s": measured.wall_s,
        "cpu_s": measured.cpu_s,
        "peak_bytes": measured.peak_bytes,
        "runs": len(measured.runs),
    }


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def mebibytes(size_bytes: float) -> str:
    size = size_bytes / 2**20
    return f"{size:,.1f} MiB" if size < 100 else f"{size:,.0f} MiB"


def as_text(figure: Figure) -> str:
    verdict = f"  [{figure.verdict}: {figure.goal}]" if figure.goal else ""
    return f"{figure.benchmark:9} {figure.what}: {figure.value}{verdict}"


def as_json(figures: Iterable[Figure]) -> str:
    return json.dumps(
        [asdict(figure) | {"verdict": figure.verdict} for figure in figures], indent=2
    )
