"""Data to compare: two tables alike, but for three columns that have drifted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

DRIFTED = ("n00", "n01", "c0")
"""The columns that moved: a mean by 0.3 deviations, a spread by a third, a category's share."""


def write(kind: str, folder: Path, *numbers: int) -> tuple[Path, Path]:
    """Write two files of a kind (`pair`, `versions`, `tensors`) in a process of its own: what this
    one has in memory counts for all that it starts.
    """
    words = [sys.executable, "-m", "benchmarks.tables", kind, str(folder), *map(str, numbers)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    old, new = json.loads(done.stdout)
    return Path(old), Path(new)


def write_pair(folder: Path, rows: int, columns: int) -> tuple[Path, Path]:
    """Write `old.parquet` and `new.parquet` with a key `id`, numbers, and for every fifth column
    a category. About one row in a thousand of the new one has another value in `n02`.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "old.parquet", folder / "new.parquet"
    for side, path in enumerate(paths):
        arrays: dict[str, pa.Array] = {"id": pa.array(np.arange(rows))}
        generator = np.random.default_rng(side)
        for at in range(columns - 1):
            if at % 5 == 4:
                drifted = side == 1 and at == 4
                weights = np.array([55.0 if drifted else 30.0, 25, 20, 15, 7, 3])
                codes = generator.choice(6, size=rows, p=weights / weights.sum())
                names = pa.array(["north", "south", "east", "west", "abroad", "other"])
                column = pa.DictionaryArray.from_arrays(pa.array(codes.astype("int32")), names)
                arrays[f"c{at // 5}"] = column.cast(pa.string())
            else:
                values = generator.normal(size=rows)
                if side == 1 and at == 0:
                    values += 0.3
                if side == 1 and at == 1:
                    values *= 4 / 3
                arrays[f"n{at:02d}"] = pa.array(values)
        pq.write_table(pa.table(arrays), path, row_group_size=131_072)
    return paths


def write_versions(folder: Path, rows: int) -> tuple[Path, Path]:
    """Write two states of one table by key: a thousandth of the rows gone, as many new, and a
    thousandth changed in one of two columns.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    few = max(2, rows // 1_000)
    generator = np.random.default_rng(7)
    columns = {f"n{at}": generator.normal(size=rows + few) for at in range(8)}
    names = np.array(["north", "south", "east", "west"])
    regions = names[generator.integers(0, 4, size=rows + few)]
    paths = folder / "before.parquet", folder / "after.parquet"
    for side, path in enumerate(paths):
        part = slice(side * few, rows + side * few)
        if side == 1:
            chosen = few + generator.choice(rows - few, size=few, replace=False)
            columns["n3"][chosen[: few // 2]] += 1
            columns["n5"][chosen[few // 2 :]] += 1
        arrays = {name: values[part] for name, values in columns.items()}
        table = pa.table({"id": np.arange(rows + few)[part], **arrays, "region": regions[part]})
        pq.write_table(table, path)
    return paths


def write_tensors(folder: Path, size: int, width: int) -> tuple[Path, Path]:
    """Write two safetensors files of 64 tensors (4 bytes wide: float32, 2: bfloat16), without the
    library: a header and random numbers.
    """
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    each = size // 64
    header = {
        f"layer.{at:02d}": {
            "dtype": "F32" if width == 4 else "BF16",
            "shape": [each // width],
            "data_offsets": [at * each, (at + 1) * each],
        }
        for at in range(64)
    }
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    paths = folder / "old.safetensors", folder / "new.safetensors"
    for side, path in enumerate(paths):
        generator = np.random.default_rng(side)
        with path.open("wb") as file:
            file.write(len(encoded).to_bytes(8, "little") + encoded)
            for _ in range(64):
                values = generator.standard_normal(each // width, dtype=np.float32)
                content = values if width == 4 else (values.view(np.uint32) >> 16).astype("<u2")
                file.write(content.tobytes())
    return paths


if __name__ == "__main__":
    kind, folder, *numbers = sys.argv[1:]
    writers: dict[str, Callable[..., tuple[Path, Path]]] = {
        "pair": write_pair,
        "versions": write_versions,
        "tensors": write_tensors,
    }
    print(json.dumps([str(path) for path in writers[kind](Path(folder), *map(int, numbers))]))
