"""DuckDB, shut in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assent.errors import OutsideError, UsageError
from assent.measure import engine


@pytest.fixture
def confined(tmp_path: Path) -> Iterator[Any]:
    """A connection that may read `given.csv` and the folder `own`, and nothing else."""
    own = tmp_path / "own"
    own.mkdir()
    (tmp_path / "given.csv").write_text("a\n1\n")
    (tmp_path / "secret.csv").write_text("a\n2\n")
    connection = engine.connect("testing", own)
    engine.confine(connection, [tmp_path / "given.csv"], [own])
    yield connection
    connection.close()


def test_what_was_given_is_read(tmp_path: Path, confined: Any) -> None:
    given = engine.text(str(tmp_path / "given.csv"))
    assert confined.execute(f"SELECT a FROM read_csv({given})").fetchall() == [(1,)]
    confined.execute(f"COPY (SELECT 1) TO {engine.text(str(tmp_path / 'own' / 'new.csv'))}")


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('{folder}/secret.csv')",
        "SELECT * FROM read_csv('{folder}/own/../secret.csv')",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "ATTACH '{folder}/x.db'",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "INSTALL httpfs",
    ],
)
def test_nothing_else_is_reached(tmp_path: Path, confined: Any, statement: str) -> None:
    import duckdb

    with pytest.raises(duckdb.Error):
        confined.execute(statement.format(folder=tmp_path))


def test_names_and_texts_stay_what_they_are(confined: Any) -> None:
    odd = 'it\'s "odd"; --'
    found = confined.execute(f"SELECT {engine.text(odd)} AS {engine.name(odd)}")
    assert (found.description[0][0], found.fetchone()) == (odd, (odd,))
    for quote in (engine.name, engine.text):
        with pytest.raises(UsageError, match="zero byte"):
            quote("a\0b")


def test_what_is_refused_says_what_was_done(confined: Any) -> None:
    with (
        pytest.raises(UsageError, match=r"reading my data: .*no_such_table") as caught,
        engine.explained("reading my data"),
    ):
        confined.execute("SELECT * FROM no_such_table")
    assert "\n" not in caught.value.problem
    with pytest.raises(UsageError, match="not UTF-8"), engine.explained("reading"):
        b"\xff".decode()
    with pytest.raises(OutsideError, match="reading"), engine.explained("reading"):
        raise OSError("the disk is gone")
    with pytest.raises(KeyError), engine.explained("reading"):
        raise KeyError("a bug is a bug")


@pytest.mark.parametrize("missing", ["duckdb", "numpy", "pyarrow"])
def test_what_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UsageError, match=f"{missing} is not installed") as caught:
        engine.connect("reading", tmp_path)
    assert caught.value.hint == "pip install 'assent-ml[data]'"


def test_cursors_are_set_as_their_connection_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    connection = engine.connect("testing", tmp_path)
    (said,) = (
        connection.cursor()
        .execute("SELECT CAST(TIMESTAMPTZ '2024-01-01 00:00:00+00' AS VARCHAR)")
        .fetchone()
    )
    assert said == "2024-01-01 00:00:00+00"
    for setting in ("parquet_metadata_cache", "disable_parquet_prefetching"):
        query = f"SELECT current_setting('{setting}')"
        assert connection.cursor().execute(query).fetchone() == (True,)
    connection.close()
