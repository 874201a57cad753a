"""Tables written and profiled in both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assent.core.profile import ColumnProfile, DataProfile
from assent.measure.profiles.profile import profile_data
from assent.measure.profiles.reading import open_table


def write(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, **options)
    return path


def profile(root: Path, source: str, *, use_pyarrow: bool = True, **options: Any) -> DataProfile:
    with open_table(root, source, use_pyarrow=use_pyarrow) as table:
        return profile_data(table, **options)


def both(root: Path, source: str, **options: Any) -> DataProfile:
    """The profile, which is the same with pyarrow and without."""
    found = profile(root, source, **options)
    assert profile(root, source, use_pyarrow=False, **options) == found
    return found


def column(found: DataProfile, name: str) -> ColumnProfile:
    return {column.name: column for column in found.columns}[name]
