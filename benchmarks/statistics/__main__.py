# ruff: noqa: A005 - a part of `benchmarks`, never imported by its last name alone
"""Simulate, print, and write the tables into the documentation."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.compare.known import known

from benchmarks.statistics.coverage import coverage
from benchmarks.statistics.gates import judged
from benchmarks.statistics.populations import POPULATIONS
from benchmarks.statistics.text import BEGIN, END, tables

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"


def main() -> None:
    """Run all simulations."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.statistics")
    parser.add_argument("--runs", type=int, default=1_000, help="samples of each population")
    parser.add_argument("--only", default="", help="populations whose name has this in it")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/")
    given = parser.parse_args()
    covered = []
    for population in POPULATIONS:
        if given.only in population.name:
            for row in coverage(population, given.runs):
                covered.append(row)
                print(
                    f"{row.population:26} {row.metric:18} holds {row.covered:.3f} "
                    f"({row.above:.3f}/{row.below:.3f}) none {row.silent:.3f} "
                    f"width {row.width:.4g}",
                    flush=True,
                )
    if given.only:
        return
    gates = []
    for judgement in judged(known(), max(1, given.runs // 5)):
        gates.append(judgement)
        print(judgement, flush=True)
    if given.write:
        text = PAGE.read_text()
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(before + tables(covered, gates) + after)


if __name__ == "__main__":
    main()
