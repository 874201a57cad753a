"""Types that texts fit, without a digit lost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.measure import engine, fits
from tests.effort import examples


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    found = engine.connect("testing", tmp_path_factory.mktemp("fits"), threads=1)
    yield found
    found.close()


def fitted(connection: Any, values: list[str | None]) -> str:
    connection.execute("CREATE OR REPLACE TABLE t (v VARCHAR)")
    if values:
        connection.executemany("INSERT INTO t VALUES (?)", [[one] for one in values])
    return fits.fitted(connection, "t", {"v": fits.ALL})["v"]


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "-2", None, " 3 "], "BIGINT"),
        (["9007199254740993"], "BIGINT"),
        (["9223372036854775807", "-9223372036854775808"], "BIGINT"),
        (["9223372036854775808", "0"], "UBIGINT"),
        (["18446744073709551616"], "VARCHAR"),
        (["92233720368547758001"], "VARCHAR"),
        (["1", "007"], "VARCHAR"),
        (["1.5", "00.5"], "VARCHAR"),
        (["+4912345678"], "VARCHAR"),
        (["1_000"], "VARCHAR"),
        (["0x10"], "VARCHAR"),
        (["1", "1.5", ".5", "-0", "1e5"], "DOUBLE"),
        (["0.1", "nan", "-inf"], "DOUBLE"),
        (["0.30000000000000004"], "DOUBLE"),
        (["1.000000000000000056e-01"], "DOUBLE"),
        (["1e400"], "VARCHAR"),
        (["1e-400"], "VARCHAR"),
        (["9007199254740993", "0.5"], "DECIMAL(38, 6)"),
        (["123456789012.123456", "1.5"], "DECIMAL(38, 6)"),
        (["123456789012.1234567", "1.5"], "DECIMAL(38, 12)"),
        (["0.1234567890123456789012345678901234567890"], "VARCHAR"),
        (["true", "False"], "BOOLEAN"),
        (["true", "1"], "VARCHAR"),
        (["2024-02-29"], "DATE"),
        (["2023-02-29"], "VARCHAR"),
        (["01/02/2024"], "VARCHAR"),
        (["2024-02-29", "2024-02-29T10:00:00.5"], "TIMESTAMP"),
        (["2024-02-29 10:00:00.123456789"], "TIMESTAMP_NS"),
        (["2024-02-29T10:00:00Z", "2024-02-29T10:00:00+02:00"], "TIMESTAMPTZ"),
        (["2024-02-29T10:00:00Z", "2024-02-29T10:00:00"], "VARCHAR"),
        (["10:00", "23:59:59.5"], "TIME"),
        (["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380011"], "VARCHAR"),
        ([None, None], "VARCHAR"),
        ([], "VARCHAR"),
    ],
)
def test_types_of_texts(connection: Any, values: list[str | None], type_: str) -> None:
    assert fitted(connection, values) == type_


def test_the_last_value_counts(connection: Any) -> None:
    connection.execute(
        "CREATE OR REPLACE TABLE t AS SELECT CAST(range AS VARCHAR) AS v FROM range(10000)"
    )
    assert fits.fitted(connection, "t", {"v": fits.ALL}) == {"v": "BIGINT"}
    connection.execute("INSERT INTO t VALUES ('1.5')")
    assert fits.fitted(connection, "t", {"v": fits.ALL}) == {"v": "DOUBLE"}
    connection.execute("INSERT INTO t VALUES ('walk-in')")
    assert fits.fitted(connection, "t", {"v": fits.ALL}) == {"v": "VARCHAR"}


_WHOLE = st.integers(-(10**24), 10**24) | st.integers(2**53 - 5, 2**53 + 5)
_NUMBERS = st.one_of(
    _WHOLE.map(str),
    st.tuples(_WHOLE, st.text("0123456789", min_size=1, max_size=20)).map(
        lambda p: f"{p[0]}.{p[1]}"
    ),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda v: format(Decimal(repr(v)), "f")),
    st.text("0123456789", min_size=1, max_size=22),
)


@settings(max_examples=examples(200))
@given(values=st.lists(_NUMBERS, min_size=1, max_size=6))
def test_numbers_that_differ_stay_different(
    tmp_path_factory: pytest.TempPathFactory, values: list[str]
) -> None:
    connection = engine.connect("testing", Path(tmp_path_factory.getbasetemp()), threads=1)
    try:
        type_ = fitted(connection, list(values))
        found = connection.execute(f"SELECT DISTINCT {fits.cast('v', type_)} FROM t").fetchall()
    finally:
        connection.close()
    assert len({Decimal(value) for value in values}) <= len(found), (type_, values)
