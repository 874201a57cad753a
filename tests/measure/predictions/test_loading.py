"""Compact predictions from a job that nobody trusts."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assent.core.evidence import Predictions
from assent.errors import IntegrityError, UsageError
from assent.measure.predictions import load_predictions
from assent.measure.predictions.database import open_database
from tests.builders import digest

COLUMNS: dict[str, Any] = {
    "id": pa.array(["1", "2", "3"]),
    "label": pa.array(["0", "1", "1"]),
    "score": pa.array([0.1, 0.2, 0.9]),
    "slice.region": pa.array(["a", "b", "a"]),
    "shown.age": pa.array([1, None, 3]),
}


def meta(**changes: Any) -> Predictions:
    ordinary: dict[str, Any] = {
        "attachment": digest("x"),
        "task": "binary",
        "rows": 3,
        "positive": "1",
        "classes": ("0", "1"),
        "slices": ("region",),
        "shown": ("age",),
    }
    return Predictions(**{**ordinary, **changes})


def parquet(**changes: Any) -> bytes:
    columns = {name: one for name, one in {**COLUMNS, **changes}.items() if one is not None}
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def test_what_was_declared_is_loaded(tmp_path: Path) -> None:
    for content in (parquet(), tmp_path / "p.bin"):
        if isinstance(content, Path):
            content.write_bytes(parquet())
        table = load_predictions(content, meta())
        assert table.label.tolist() == [0, 1, 1]
        assert table.shown["age"].tolist() == [1, None, 3]
        assert table.slices["region"].codes.tolist() == [0, 1, 0]


def test_every_column_stays_with_its_row() -> None:
    count = 5_000
    names = [f"{(n * 7919) % count:05}" for n in range(count)]
    table = load_predictions(
        parquet(
            **{
                "id": pa.array(names),
                "label": pa.array([str(int(name) % 2) for name in names]),
                "score": pa.array([int(name) / count for name in names]),
                "slice.region": pa.array([f"r{int(name) % 13}" for name in names]),
                "shown.age": pa.array([int(name) for name in names]),
                "group": pa.array([int(name) % 17 for name in names], pa.int32()),
            }
        ),
        meta(rows=count),
    )
    numbers = [int(name) for name in table.ids]
    region = table.slices["region"]
    assert table.scores is not None
    assert table.group is not None
    assert [region.values[code] for code in region.codes] == [f"r{n % 13}" for n in numbers]
    assert table.group.tolist() == [n % 17 for n in numbers]
    assert table.shown["age"].tolist() == numbers
    assert table.scores.tolist() == [n / count for n in numbers]
    assert table.label.tolist() == [n % 2 for n in numbers]


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("columns", "declared"),
    [
        ({"extra": pa.array([1, 2, 3])}, {}),
        ({"score": None}, {}),
        ({"label": None}, {}),
        ({"id": pa.array([1, 2, 3])}, {}),
        ({"id": pa.array(["1", "1", "2"])}, {}),
        ({"id": pa.array(["1", None, "2"])}, {}),
        ({"id": pa.array(["1", "x" * 1000, "2"])}, {}),
        ({"label": pa.array(["0", "1", "other"])}, {}),
        ({"label": pa.array([0, 1, 1])}, {}),
        ({"score": pa.array(["a", "b", "c"])}, {}),
        ({"score": pa.array([0.1, float("nan"), 0.2])}, {}),
        ({"score": pa.array([0.1, None, 0.2])}, {}),
        ({"slice.region": pa.array(["x" * 201, "a", "b"])}, {}),
        ({"slice.region": None}, {}),
        ({"slice.a\0b": pa.array(["a", "b", "a"])}, {"slices": ("region", "a\0b")}),
        ({"shown.age": pa.array([[1], [2], [3]])}, {}),
        ({"shown.age": pa.array(["x" * 10_000_000, "a", "b"])}, {}),
        ({}, {"rows": 4}),
        ({}, {"rows": 10**12}),
        ({}, {"classes": ("0", "1", "2")}),
        ({}, {"classes": ("1", "1")}),
        ({}, {"classes": ()}),
        ({}, {"positive": "yes"}),
        ({}, {"task": "regression", "classes": (), "positive": None}),
        ({}, {"task": "ranking", "classes": (), "positive": None}),
        ({}, {"slices": ("region", "other")}),
        ({}, {"classes": tuple(map(str, range(5_000)))}),
    ],
)
def test_what_is_not_as_declared_is_refused(
    columns: dict[str, Any], declared: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError, match="reading the predictions of a bundle"):
        load_predictions(parquet(**columns), meta(**declared))


@pytest.mark.threat(39)
@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\0" * 100 + b"PAR1", b"id,label\n"])
def test_what_is_no_parquet_is_refused(content: bytes) -> None:
    with pytest.raises(IntegrityError):
        load_predictions(content, meta())


@pytest.mark.threat(39)
def test_damaged_parquet_is_refused_or_read_but_nothing_else() -> None:
    whole = parquet()
    for at in range(0, len(whole), 29):
        damaged = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        try:
            load_predictions(damaged, meta())
        except IntegrityError:
            continue


@pytest.mark.threat(39)
def test_the_engine_reaches_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with open_database("testing", b"", "empty") as database:
        for statement in (
            f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/x.db'",
            "SET enable_external_access = true",
            "SET memory_limit = '100GB'",
            "INSTALL httpfs",
        ):
            with pytest.raises(database.errors):
                database.run(statement)


@pytest.mark.threat(39)
def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(IntegrityError):
        load_predictions(parquet(), meta(classes=("0", "\ud800")))
    broken = pa.array([b"\xff\xfe", b"a", b"b"]).view(pa.string())
    with pytest.raises(IntegrityError):
        load_predictions(parquet(**{"shown.age": broken}), meta())


def test_without_the_engine_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(UsageError, match="duckdb is not installed") as caught:
        load_predictions(parquet(), meta())
    assert caught.value.hint == "pip install 'assent-ml[data]'"
