"""What changed in the data."""

from __future__ import annotations

from typing import Literal

from assent.core.diff.sameness import NotCompared, Same, sameness
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
    """What a person compares of a column. Shares are of all rows; `tokens` are texts that say that
    there is no value. `zeros`, `negatives`, and what follows, are None for other kinds than
    numbers and times.
    """

    type: str
    kind: ColumnKind
    nulls: float
    nans: float = 0.0
    infinite: float = 0.0
    tokens: float = 0.0
    distinct: int | None = None
    zeros: float | None = None
    negatives: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None


Fact = Literal[
    "minimum",
    "maximum",
    "nulls",
    "NaN",
    "infinite",
    "missing tokens",
    "zeros",
    "negatives",
    "frequent",
    "distinct",
    "mean",
    "deviation",
    "values",
]


class FactChange(Struct, frozen=True, kw_only=True):
    """A fact of a column that both profiles know exactly, and that is another one beyond chance.
    `value` is the text that became `frequent` or rare, whose shares are None where they are less
    than those that are kept; `rows` those of the candidate beyond the old `minimum` or `maximum`,
    None where there are none. `is_share`: `old` and `new` are shares of the rows (0-1). `values`
    are others though every count is alike; there is nothing more to say of them.
    """

    fact: Fact
    value: str = ""
    old: float | None = None
    new: float | None = None
    rows: int | None = None
    is_share: bool = False


class ColumnChange(Struct, frozen=True, kw_only=True):
    """A column on both sides. `old` is None for a new one, `new` for one that is gone;
    `old_name` differs from `name` where content tells that it was renamed. `added` and
    `vanished` are categories with their rows, the most frequent first; `vanished` only those that
    are too frequent in the baseline to be missing by chance, and `is_by_chance` says that all of
    `added` are so rare that they may well be in the baseline's source. `not_compared` says why the
    values were not compared, or what of them alone was; `problem` what is wrong with a profile.
    """

    name: str
    old_name: str | None = None
    old: ColumnFacts | None = None
    new: ColumnFacts | None = None
    drift: Drift | None = None
    added: tuple[tuple[str, int], ...] = ()
    vanished: tuple[tuple[str, int], ...] = ()
    is_by_chance: bool = False
    facts: tuple[FactChange, ...] = ()
    shares: tuple[Share, ...] = ()
    is_label: bool = False
    not_compared: str = ""
    problem: str = ""


class DataChange(Struct, frozen=True, kw_only=True):
    """A data set that differs. `columns` are those that differ, the most important first. Of the
    others, `same_columns` counts those that hold the same values, `alike_columns` those whose every
    count is equal, of whose values no more is known, `close_columns` those that differ by no more
    than chance or than little, and `not_compared` names those of which not even that is known;
    without a profile on both sides there are none, and `is_profiled` is False.
    `inconclusive` counts columns whose rows are too few to say. `old_ragged` and `new_ragged` are
    lines of text that do not fit the header and were left out, as the settings say.
    """

    name: str
    old: DataReference | None = None
    new: DataReference | None = None
    is_profiled: bool = False
    columns: tuple[ColumnChange, ...] = ()
    same_columns: int = 0
    alike_columns: int = 0
    close_columns: int = 0
    not_compared: tuple[NotCompared, ...] = ()
    inconclusive: int = 0
    old_duplicates: int | None = None
    new_duplicates: int | None = None
    old_near_duplicates: int | None = None
    new_near_duplicates: int | None = None
    rows: RowChanges | None = None
    old_ragged: int = 0
    new_ragged: int = 0


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
    """A column of the candidate as gates judge it, whether it differs or not: its facts on both
    sides, `old` None for a new column. `outside` are the rows below and above the old range, None
    where they were not counted. `test` is None for a new column, for one whose
    profile or whose values are the same on both sides, and where `problem` says why there is none.
    `not_compared` says why the values were not compared, or not themselves: then `test`, if there
    is one, is of a stand-in. `is_open`: a category may be new without anybody being able to
    tell, as the profiles do not list all of them, or not in the same way.
    """

    name: str
    new: ColumnFacts
    old_name: str | None = None
    old: ColumnFacts | None = None
    outside: tuple[int, int] | None = None
    test: DriftTest | None = None
    problem: str = ""
    not_compared: str = ""
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

    @property
    def sameness(self) -> Same | None:
        """Whether every data set is the same as before, by its content."""
        return sameness(len(self.same), bool(self.changes), ())
