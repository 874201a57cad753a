"""The gate on the model's files."""

from __future__ import annotations

from typing import Literal

import msgspec

from assent.core.diff import Diff
from assent.core.evidence import Evidence
from assent.core.units import size_bytes
from assent.core.verdict import Finding, Outcome


class ModelGate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`max_size` bounds the size of all served files together (`500MB`, `2GiB`, bytes)."""

    model: Literal["any"]
    max_size: str | int

    def __post_init__(self) -> None:
        """Refuse a size that is none."""
        if size_bytes(self.max_size) <= 0:
            raise ValueError("max_size must be more than 0")

    def judge(
        self, diff: Diff, evidence: Evidence, *, without_baseline: Literal["allow", "block"]
    ) -> list[Finding]:
        """One finding on the size."""
        del evidence, without_baseline  # the size is judged alone
        size = diff.model_files.new_size_bytes
        is_kept = size <= size_bytes(self.max_size)
        return [
            Finding(
                rule=f"model max_size {self.max_size}",
                outcome=Outcome.PASSED if is_kept else Outcome.FAILED,
                reason="within the bound" if is_kept else "too large",
                evidence=f"{size:,} bytes",
                remedy="" if is_kept else "make it smaller, or change the bound on the base branch",
            )
        ]
