"""What changed in the data."""

from __future__ import annotations

from typing import Literal

from assent.core.diff.shape import Struct
from assent.core.evidence import DataReference
from assent.core.profile import ColumnKind, Overlap, RowChanges

Level = Literal["slight", "moderate", "severe"]


class Drift(Struct, frozen=True, kw_only=True):
    """How far the distribution of a column has moved, and whether the rows are enough to say so.

    `outcome`: `shown` (the true discrepancy is at least that of `level`), `stable` (it is below
    the level at which drift matters) or `inconclusive` (too few rows for either). Effect sizes:
    `psi` (population stability index, the mean under no change subtracted, not below 0),
    `distance` (Jensen-Shannon, base 2), `variation` (total variation), `ks`
    (Kolmogorov-Smirnov) and `shift` (Wasserstein distance in deviations of the baseline); the
    last two are None for categories. `p` is the adjusted p-value of the smallest level.
    `is_approximate`: the candidate was not counted in the baseline's bins, but in its own.
    """

    outcome: Literal["shown", "stable", "inconclusive"]
    level: Level | None = None
    psi: float
    distance: float
    variation: float
    ks: float | None = None
    shift: float | None = None
    p: float
    is_approximate: bool = False


class Share(Struct, frozen=True, kw_only=True):
    """A bin or a category for a chart: its label, and its share of the rows on each side (0-1)."""

    label: str
    old: float
    new: float


class ColumnFacts(Struct, frozen=True, kw_only=True):
    """What a person compares of a column. Shares are of all rows; `minimum`, `maximum` and `mean`
    are None for other kinds than numbers and times.
    """

    type: str
    kind: ColumnKind
    nulls: float
    distinct: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None


class ColumnChange(Struct, frozen=True, kw_only=True):
    """A column on both sides. `old` is None for a new one, `new` for one that is gone;
    `old_name` differs from `name` where content tells that it was renamed. `added` and
    `vanished` are categories with their rows, the most frequent first; `vanished` only those that
    are too frequent in the baseline to be missing by chance.
    """

    name: str
    old_name: str | None = None
    old: ColumnFacts | None = None
    new: ColumnFacts | None = None
    drift: Drift | None = None
    added: tuple[tuple[str, int], ...] = ()
    vanished: tuple[tuple[str, int], ...] = ()
    outside: int = 0
    shares: tuple[Share, ...] = ()
    is_label: bool = False
    problem: str = ""


class DataChange(Struct, frozen=True, kw_only=True):
    """A data set that differs. `columns` are those that differ, the most important first, and
    `same_columns` counts the others; without a profile on both sides `columns` is empty and
    `is_profiled` False. `inconclusive` counts columns whose rows are too few to say.
    """

    name: str
    old: DataReference | None = None
    new: DataReference | None = None
    is_profiled: bool = False
    columns: tuple[ColumnChange, ...] = ()
    same_columns: int = 0
    inconclusive: int = 0
    old_duplicates: int | None = None
    new_duplicates: int | None = None
    old_near_duplicates: int | None = None
    new_near_duplicates: int | None = None
    rows: RowChanges | None = None


class DriftTest(Struct, frozen=True, kw_only=True):
    """What decides whether a column has drifted by any amount: a statistic (X²) over `bins`, and
    `weight`, the rows of both sides as one number: n1 n2 / (n1 + n2). `low` is the statistic that
    must be large for drift, `high` the one that must be small for stability; where there is
    doubt, each speaks against what is to be shown. `psi` is that of `Drift`.
    """

    low: float
    high: float
    bins: int
    weight: float
    psi: float = 0.0


class MeasuredColumn(Struct, frozen=True, kw_only=True):
    """A column of the candidate as gates judge it, whether it differs or not. `nulls` are shares
    of rows; `old_nulls` is None for a new column. `test` is None for a new column, for one whose
    profile is the same on both sides, and where `problem` says why there is none.
    `is_open`: the baseline's profile does not list all categories, so that a new one cannot be
    told from a rare one.
    """

    name: str
    nulls: float
    old_name: str | None = None
    old_nulls: float | None = None
    test: DriftTest | None = None
    problem: str = ""
    is_open: bool = False


class MeasuredData(Struct, frozen=True, kw_only=True):
    """A data set of the candidate as gates judge it. Rows are None where they are not known."""

    name: str
    rows: int | None = None
    old_rows: int | None = None
    is_profiled: bool = False
    columns: tuple[MeasuredColumn, ...] = ()


class DataDiff(Struct, frozen=True, kw_only=True):
    """Data sets that differ, those that are the same, and what the candidate's share. `measured`
    has every data set of the candidate, and all of its columns.
    """

    changes: tuple[DataChange, ...] = ()
    same: tuple[DataReference, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    measured: tuple[MeasuredData, ...] = ()
