"""What the rules of a policy look at in one diff, so that a report can say what they do not."""

from __future__ import annotations

from typing import Literal

import msgspec

Facet = Literal["drift", "schema", "new categories"]


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """`deciding` are metrics of the whole that decide, in the order of the policy. `bounded` are
    metrics of the whole whose change a gate bounds, `bounded_slices` those of slices. `slices`: a
    gate judges every slice against the baseline. `columns` are data set, column and what of it a
    gate judges, of those that differ; `rows` are data sets whose rows a gate counts. `leakage` are
    pairs of data sets that a gate compares. `imports` and `signature`: a gate judges these of the
    model.
    """

    deciding: tuple[str, ...] = ()
    bounded: tuple[str, ...] = ()
    bounded_slices: tuple[str, ...] = ()
    slices: bool = False
    columns: tuple[tuple[str, str, Facet], ...] = ()
    rows: tuple[str, ...] = ()
    leakage: tuple[tuple[str, str], ...] = ()
    imports: bool = False
    signature: bool = False
