"""A repository as strangers lay it out: its files, and what a person still has to edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Edit:
    """Lines that a person adds to a file, after the one that holds `after`."""

    path: str
    after: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Expected:
    """What `init` has to see of one model, and figures that the first review has to show."""

    train: str
    model: str
    metrics: tuple[str, ...]
    figures: tuple[str, ...]
    evaluate: str | None = None
    inputs: tuple[str, ...] = ()
    never_inputs: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    params: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """`files` are in Git, `beside` is there without it (data that somebody fetched), `models` is
    what must be seen, by the folder of its `assent.yaml` and its name. `title` stands in
    docs/layouts.md.
    """

    title: str
    files: Mapping[str, str]
    models: Mapping[tuple[str, str], Expected]
    beside: Mapping[str, str] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()

    @property
    def edited_lines(self) -> int:
        """How many lines a person edits before the first review has figures in it."""
        return sum(len(edit.lines) for edit in self.edits)


ROWS = "id,region,age,spend,churned\n" + "".join(
    f"{n},{'north' if n % 2 else 'south'},{20 + n},{(n * 37) % 90},{int((n * 37) % 90 < 40)}\n"
    for n in range(1, 41)
)
"""A table that every layout has somewhere."""

LEARN = '''\
"""A model that is one number: below which spend customers leave."""

import csv


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def fit(table, rate=1.0):
    gone = [float(row["spend"]) for row in table if row["churned"] == "1"]
    return {"threshold": rate * max(gone, default=0.0)}


def accuracy(model, table):
    right = [
        (float(row["spend"]) <= model["threshold"]) == (row["churned"] == "1") for row in table
    ]
    return sum(right) / len(right)
'''
"""The learning that the layouts share, so that each shows its layout and nothing else."""
