"""Spark on two threads of this machine. One session for all tests: starting it takes seconds."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from assent.core.profile import ColumnProfile, DataProfile
from assent.errors import OutsideError, UsageError
from assent.measure.profiles.overlap import overlap
from assent.measure.profiles.reading import open_table
from assent.measure.profiles.spark import overlap_with_spark, profile_with_spark
from tests.measure.profiles.tables import column, profile, write

# pyspark's own: what it leaves open, and what it says of pandas
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:pyspark"),
]


@pytest.fixture(scope="module", autouse=True)
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.fail("the tests of Spark need java (17 or later) on the PATH, and there is none")
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "Asia/Tokyo")
        .config("spark.sql.warehouse.dir", os.fspath(folder))
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        # Nor is it worth it to compile thoroughly, or to collect with several threads.
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .config("spark.sql.codegen.wholeStage", "false")  # compiling takes longer than counting
        .config("spark.sql.adaptive.enabled", "false")
        .getOrCreate()
    )
    yield spark
    spark.stop()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for number in range(2):
        rows = 6_000
        names = np.array([f"k{i}" for i in range(30)])
        moments = [dt.datetime(2026, 1, 1) + dt.timedelta(seconds=i % 9_000) for i in range(rows)]
        x = random.normal(size=rows)
        x[:3] = [np.nan, np.inf, -np.inf]
        columns = {
            "x": pa.array(x, mask=random.random(rows) < 0.1),
            "i": random.integers(0, 50, rows),
            "dec": pa.array(random.integers(0, 900, rows)).cast(pa.decimal128(21, 2)),
            "odd `name. é": random.integers(0, 10**9, rows).astype(np.int32),
            "at": pa.array(moments, pa.timestamp("us", "UTC")),
            "local": pa.array(moments, pa.timestamp("us")),
            "day": [moment.date() for moment in moments],
            "k": pa.array(names[random.integers(0, 30, rows)], mask=random.random(rows) < 0.1),
            "t": [f"text {random.integers(10**9)}" for _ in range(rows)],
            "h": [_heavy(i * 7919 % rows) for i in range(rows)],
            "b": random.random(rows) < 0.3,
            "n": [[1] * (i % 4) if i % 5 else None for i in range(rows)],
            "s": [{"a": i} if i % 7 else None for i in range(rows)],
            "z": [b"x" * (i % 3) for i in range(rows)],
            "v": [[i % 7 / 4, None if i % 11 == 0 else 2.0, float(i)] for i in range(rows)],
            "deep": [
                {"at": moments[i], "in": {"k": f"k{i % 3}", "l l": [1.5] * (i % 3)}}
                if i % 9
                else None
                for i in range(rows)
            ],
        }
        write(root / f"d/{number}.parquet", columns, row_group_size=2_500)
    write(root / "twice.parquet", {"a": [1, 1, None, None, 2], "b": [1, 1, None, 1, None]})
    return root


def _heavy(i: int) -> str:
    """Text with many values: two of them frequent, of which one is long, and words for nothing."""
    if i % 50 < 3:
        return ("often", "x" * 300, " N/A ")[i % 50]
    return f"{i}"


@pytest.fixture(scope="module")
def embedded(root: Path) -> DataProfile:
    return profile(root, "d")


def assert_alike(found: ColumnProfile, other: ColumnProfile) -> None:
    for name in (
        "name",
        "type",
        "kind",
        "nulls",
        "nans",
        "infinities",
        "categories",
        "in_bins",
        "outside",
        "tokens",
        "frequent",
        "of",
    ):
        assert getattr(found, name) == getattr(other, name), (found.name, name)
    assert found.fingerprint == other.fingerprint, found.name
    assert (found.distinct is None) == (other.distinct is None), found.name
    assert found.distinct is None or found.distinct == pytest.approx(other.distinct, rel=0.05)
    assert (found.numbers is None) == (other.numbers is None)
    if found.numbers is None or other.numbers is None:
        return
    for name in ("minimum", "maximum", "zeros", "negatives"):
        assert getattr(found.numbers, name) == getattr(other.numbers, name), (found.name, name)
    for name in ("mean", "deviation", "skewness", "kurtosis"):
        value, moment = getattr(found.numbers, name), getattr(other.numbers, name)
        assert (value is None) == (moment is None), (found.name, name)
        assert value is None or value == pytest.approx(moment, rel=1e-9, abs=1e-9), found.name
    if found.numbers.edges == other.numbers.edges:
        assert found.numbers.counts == other.numbers.counts, found.name


def test_spark_finds_what_the_embedded_engine_finds(root: Path, embedded: DataProfile) -> None:
    done: list[int] = []
    found = profile_with_spark(os.fspath(root / "d"), progress=done.append)
    assert (found.rows, found.duplicates) == (embedded.rows, embedded.duplicates)
    assert len(found.columns) == len(embedded.columns) == sum(done)
    for one, other in zip(found.columns, embedded.columns, strict=True):
        assert_alike(one, other)
        assert (one.numbers and one.numbers.edges) == (other.numbers and other.numbers.edges)
    marked = {one.name for one in found.columns if one.fingerprint is not None}
    assert marked >= {"x", "i", "odd `name. é", "at", "local", "day", "s.a", "v[0]", "deep.at"}
    assert marked >= {"dec", "t", "h", "n", "s", "z", "v"}
    assert "v (norm)" not in marked


def test_the_baselines_bins_give_the_same_counts(root: Path, embedded: DataProfile) -> None:
    narrow = tuple(map(_narrower, embedded.columns))
    embedded = msgspec.structs.replace(embedded, columns=narrow)
    expected = profile(root, "d/1.parquet", against=embedded, leave_out=["s"])
    found = profile_with_spark(os.fspath(root / "d/1.parquet"), against=embedded, leave_out=["s"])
    assert found.against == expected.against
    for one, other in zip(found.columns, expected.columns, strict=True):
        assert_alike(one, other)
    assert column(found, "x").in_bins
    below, above = column(found, "i").outside or (0, 0)
    assert below > 0 < above


def _narrower(one: ColumnProfile) -> ColumnProfile:
    """The column as if its least and largest values had not been there."""
    if one.numbers is None or len(one.numbers.edges) < 9:
        return one
    numbers = msgspec.structs.replace(
        one.numbers, minimum=one.numbers.edges[2], maximum=one.numbers.edges[-3]
    )
    return msgspec.structs.replace(one, numbers=numbers)


def test_edges_of_a_sample_still_count_every_row(
    root: Path, embedded: DataProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assent.measure.profiles.spark._MOST_SAMPLED", 600)
    kept = ["x", "i", "k"]
    left_out = [one.name for one in embedded.columns if one.name not in kept]
    found = profile_with_spark(
        os.fspath(root / "d"), leave_out=left_out, hash_values=True, salt=b"s"
    )
    numbers, exact = column(found, "x").numbers, column(embedded, "x").numbers
    assert numbers is not None
    assert exact is not None
    assert sum(numbers.counts) == sum(exact.counts)
    assert max(numbers.counts) < sum(numbers.counts) / 255 * 8
    categories = column(found, "k").categories
    assert categories is not None
    assert categories.is_hashed
    assert not any(value.startswith("k") for value, _ in categories.top)


def test_rows_that_nearly_repeat_are_counted_alike(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=200) * 10.0 ** random.integers(-200, 200, 200)
    odd = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e300, -1e308, 5e-324]
    columns = {
        "id": range(408),
        "x": [*x, *(x * (1 + 1e-12)), *odd],
        "f": pa.array([*x, *x, *odd], pa.float64()).cast(pa.float32()),
        "t": [*(f"Ä {at}" for at in range(200)), *(f" ä\t{at}" for at in range(200)), *" " * 8],
        "d": pa.array([1] * 408).cast(pa.decimal128(21, 2)),
    }
    write(tmp_path / "d.parquet", columns)
    options: dict[str, Any] = {"key": ["id"]}
    expected = profile(tmp_path, "d.parquet", **options)
    found = profile_with_spark(os.fspath(tmp_path / "d.parquet"), **options)
    assert found.duplicates == expected.duplicates
    assert found.near_duplicates == expected.near_duplicates
    assert expected.near_duplicates is not None
    assert 190 < expected.near_duplicates <= 201
    with pytest.raises(UsageError, match="no column 'key', which is part of the key"):
        profile_with_spark(os.fspath(tmp_path / "d.parquet"), key=["key"])


def test_rows_that_repeat(root: Path, session: Any) -> None:
    assert profile_with_spark(os.fspath(root / "twice.parquet")).duplicates == 1
    session.read.parquet(os.fspath(root / "twice.parquet")).createOrReplaceTempView("twice")
    assert profile_with_spark("spark:twice").rows == 5
    assert profile_with_spark("spark:SELECT a FROM twice WHERE a = 1").rows == 2
    empty = profile_with_spark("spark:SELECT a FROM twice WHERE a = 9")
    assert (empty.rows, empty.columns[0].numbers, empty.duplicates) == (0, None, 0)


ODD = """
SELECT
    IF(id % 4 = 0, NULL, make_interval(0, id)) AS calendar,
    IF(id % 4 = 0, NULL, INTERVAL '1-2' YEAR TO MONTH) AS years,
    IF(id % 4 = 0, NULL, make_dt_interval(0, 0, 0, id)) AS seconds,
    IF(id % 4 = 0, NULL, parse_json(concat('{"a": [', id, ']}'))) AS json,
    NULL AS nothing,
    IF(id % 4 = 0, NULL, map('a', array(id))) AS lists,
    IF(id % 4 = 0, NULL, named_struct('{} "x"', id, 'Y', 'y')) AS braces,
    IF(id % 4 = 0, NULL, named_struct('a', NULL, 'b', id)) AS hollow,
    IF(id % 4 = 0, NULL, array(named_struct('a', id))) AS `in a `` list`,
    CAST(id AS TINYINT) AS tiny,
    CAST(id AS CHAR(3)) AS signs
FROM range(100)
"""


def test_types_that_only_spark_has_are_counted_for_their_nulls(session: Any) -> None:
    found = profile_with_spark(f"spark:{ODD}")
    assert found.rows == 100
    assert found.duplicates == 0
    said = {one.name: (one.type, one.kind, one.nulls) for one in found.columns if not one.of}
    assert said == {
        "calendar": ("interval", "nested", 25),
        "years": ("interval year to month", "nested", 25),
        "seconds": ("duration[us]", "number", 25),
        "json": ("variant", "nested", 25),
        "nothing": ("null", "nested", 100),
        "lists": ("map<string, list<int64>>", "nested", 25),
        "braces": ('struct<{} "x": int64, Y: string>', "nested", 25),
        "hollow": ("struct<a:void,b:bigint>", "nested", 25),
        "in a ` list": ("list<struct<a: int64>>", "nested", 25),
        "tiny": ("int8", "number", 0),
        "signs": ("string", "text", 0),
    }
    seconds = column(found, "seconds").numbers
    assert seconds is not None
    assert (seconds.minimum, seconds.maximum) == (1.0, 99.0)
    one, other = (
        profile_with_spark(f"spark:SELECT make_interval(0, id % {many}) AS i FROM range(100)")
        for many in (50, 49)
    )
    assert (one.duplicates, other.duplicates) == (50, 51)
    assert one.columns[0].fingerprint != other.columns[0].fingerprint
    assert {one.name for one in found.columns if one.of} == {'braces."{} ""x"""', "braces.Y"}


def test_what_spark_cannot_read(root: Path) -> None:
    with pytest.raises(OutsideError, match="with Spark"):
        profile_with_spark(os.fspath(root / "missing.parquet"))
    with pytest.raises(UsageError, match="no column 'nope'"):
        profile_with_spark(os.fspath(root / "twice.parquet"), leave_out=["nope"])


@pytest.mark.parametrize("line", ["50,1,more", "50"])
def test_a_ragged_line_is_refused(tmp_path: Path, line: str) -> None:
    """Spark's own way is to cut what is too much, and to fill what is missing with nulls."""
    lines = ["id,x", *(f"{at},1" for at in range(100))]
    (tmp_path / "d.csv").write_text("\n".join(lines))
    assert profile_with_spark(os.fspath(tmp_path / "d.csv")).rows == 100
    lines[51] = line
    (tmp_path / "e.csv").write_text("\n".join(lines))
    with pytest.raises(OutsideError, match=r"e\.csv with Spark: .*Malformed CSV"):
        profile_with_spark(os.fspath(tmp_path / "e.csv"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,1.5,a\n2,2.5,b\n3,4.5,a\n", "its first line has no names of columns"),
        ("id;x\n1;2\n3;4\n", "its cells have ';' between them, and Spark reads it by ','"),
        ("title\n" + "id,x\n" + "1,2\n" * 40, "its first line is one cell"),
    ],
)
def test_csv_that_spark_would_read_wrongly(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(UsageError, match=said):
        profile_with_spark(os.fspath(tmp_path / "d.csv"))


def test_names_that_look_like_values_where_that_is_set(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("5,7\n1,2\n3,4\n")
    found = profile_with_spark(os.fspath(tmp_path / "d.csv"), has_names=True)
    assert (found.rows, [one.name for one in found.columns]) == (2, ["5", "7"])


def test_shared_rows_are_what_the_embedded_engine_finds(tmp_path: Path) -> None:
    def side(first: int, last: int, *, is_float: bool = True) -> dict[str, Any]:
        rows = range(first, last)
        values = [at / 7 for at in rows] if is_float else [float(at) for at in rows]
        return {
            "id": [at % 90 if at % 10 else None for at in rows],
            "x": [None if at % 5 == 0 else value for at, value in zip(rows, values, strict=True)],
            "n": pa.array(rows, pa.int64() if first else pa.int32()),
            "t": [f"Ä {at}" if at % 2 or first == 0 else f" ä{at}" for at in rows],
            "s": [{"a": at, "b": [at, 1]} for at in rows],
            "d": [dt.date(2024, 1, 1) + dt.timedelta(at) for at in rows],
        }

    write(tmp_path / "one.parquet", side(0, 100))
    write(tmp_path / "two.parquet", side(40, 140))
    for key, without in ((("id",), ("id",)), ((), ()), ((), ("t", "id")), ((), ("s.b", "id"))):
        options: dict[str, Any] = {"names": ("one", "two"), "key": key, "without": without}
        with (
            open_table(tmp_path, "one.parquet") as one,
            open_table(tmp_path, "two.parquet") as two,
        ):
            expected = overlap(one, two, **options)
        paths = (os.fspath(tmp_path / f"{name}.parquet") for name in ("one", "two"))
        assert overlap_with_spark(*paths, **options) == expected
        assert expected.rows >= 30
    assert expected.near == 60
    with pytest.raises(UsageError, match="a side has no column 'nope'"):
        overlap_with_spark(
            *(os.fspath(tmp_path / f"{name}.parquet") for name in ("one", "two")),
            names=("one", "two"),
            key=["nope"],
        )
