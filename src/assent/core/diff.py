"""The diff: what changed between the baseline and the candidate, as a value."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from assent.core.digest import Digest
from assent.core.evidence import Code, DataReference, Run
from assent.core.scalar import Scalar

Better = Literal["higher", "lower"]


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of every part of a diff."""


class Side(Struct, frozen=True, kw_only=True):
    """One of the two things compared. `version` is None for a bundle that has no number."""

    bundle: Digest
    model_digest: Digest
    version: int | None = None
    code: Code = Code()
    run: Run | None = None


class MetricChange(Struct, frozen=True, kw_only=True):
    """One metric on both sides; `UNSET` is "not there". `change` and `relative` (a fraction of
    the baseline's absolute value) are None where there is no number to give. `better` is the
    direction that is an improvement, where it is known.
    """

    name: str
    old: Scalar | UnsetType = UNSET
    new: Scalar | UnsetType = UNSET
    change: float | None = None
    relative: float | None = None
    better: Better | None = None
    is_changed: bool = False


class ValueChange(Struct, frozen=True, kw_only=True):
    """A value that differs; `UNSET` is "not there"."""

    name: str
    old: Scalar | UnsetType = UNSET
    new: Scalar | UnsetType = UNSET


class Values(Struct, frozen=True, kw_only=True):
    """A set of named values: what differs, and how many are the same."""

    changes: tuple[ValueChange, ...] = ()
    same: int = 0


class FileChange(Struct, frozen=True, kw_only=True):
    """A file that differs; sizes in bytes, `UNSET` is "not there"."""

    path: str
    old_size_bytes: int | UnsetType = UNSET
    new_size_bytes: int | UnsetType = UNSET


class ModelDiff(Struct, frozen=True, kw_only=True):
    """The served files: sizes in bytes (None without a baseline), and the files that differ."""

    old_size_bytes: int | None = None
    new_size_bytes: int = 0
    files: int = 0
    changes: tuple[FileChange, ...] = ()


class DataChange(Struct, frozen=True, kw_only=True):
    """A data set that differs."""

    name: str
    old: DataReference | None = None
    new: DataReference | None = None


class DataDiff(Struct, frozen=True, kw_only=True):
    """Data sets that differ, and those that are the same."""

    changes: tuple[DataChange, ...] = ()
    same: tuple[DataReference, ...] = ()


class Diff(Struct, frozen=True, kw_only=True):
    """Everything that changed. Without a baseline every value of the candidate is new."""

    model: str
    candidate: Side
    baseline: Side | None = None
    metrics: tuple[MetricChange, ...] = ()
    model_files: ModelDiff = ModelDiff()
    data: DataDiff = DataDiff()
    params: Values = Values()
    packages: Values = Values()
    environment: Values = Values()

    @property
    def is_empty(self) -> bool:
        """Whether nothing that is compared differs."""
        return not (
            any(metric.is_changed for metric in self.metrics)
            or self.model_files.changes
            or self.data.changes
            or self.params.changes
            or self.packages.changes
            or self.environment.changes
        )
