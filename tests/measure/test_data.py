from __future__ import annotations

import os
from pathlib import Path

import pytest

from assent.core.digest import digest_of, digest_of_value
from assent.core.evidence import REDACTED, DataReference
from assent.measure.data import read_data


def reference(root: Path, source: str, snapshot: str | None = None) -> DataReference:
    read, problem = read_data(root, "train", source, snapshot)
    assert problem is None
    assert read is not None
    return read


def problem(root: Path, source: str, snapshot: str | None = None) -> str:
    read, found = read_data(root, "train", source, snapshot)
    assert read is None
    assert found is not None
    assert found.source == source
    return found.problem


def test_a_file(tmp_path: Path) -> None:
    content = b'id,text\n1,"a\nb"\n\n2,c\n'
    (tmp_path / "t.csv").write_bytes(content)
    assert reference(tmp_path, "t.csv") == DataReference(
        name="train",
        source="t.csv",
        kind="file",
        digest=digest_of(content),
        files=1,
        size_bytes=len(content),
        rows=2,
    )
    assert reference(tmp_path, "t.csv", "v7").snapshot == "v7"
    assert reference(tmp_path, "t.csv", "v7").digest == digest_of(content)


def test_a_folder_and_a_glob(tmp_path: Path) -> None:
    (tmp_path / "d/deep").mkdir(parents=True)
    (tmp_path / "d/a.jsonl").write_text('{"a": 1}\n\n  \n{"a": 2}')
    (tmp_path / "d/deep/b.ndjson").write_text('{"a": 1}\n')
    digest = digest_of_value(
        [
            ["d/a.jsonl", digest_of((tmp_path / "d/a.jsonl").read_bytes())],
            ["d/deep/b.ndjson", digest_of((tmp_path / "d/deep/b.ndjson").read_bytes())],
        ]
    )
    folder, glob = reference(tmp_path, "d"), reference(tmp_path, "d/**/*.*json*")
    assert (folder.kind, folder.digest, folder.files, folder.rows) == ("folder", digest, 2, 3)
    assert (glob.kind, glob.digest) == ("glob", digest)
    assert folder.size_bytes == sum(path.stat().st_size for path in tmp_path.glob("d/**/*.*json*"))


def test_the_digest_follows_names_and_content(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in "ab":
        (tmp_path / f"d/{name}").write_text(name)
    first = reference(tmp_path, "d").digest
    (tmp_path / "d/b").rename(tmp_path / "d/c")
    second = reference(tmp_path, "d").digest
    (tmp_path / "d/c").write_text("x")
    assert len({first, second, reference(tmp_path, "d").digest}) == 3


@pytest.mark.threat(38)
def test_an_address_is_opaque_and_redacted(tmp_path: Path) -> None:
    read = reference(tmp_path, "s3://b/t.parquet?X-Amz-Signature=abcdef", "v3")
    assert read == DataReference(
        name="train",
        source=f"s3://b/t.parquet?X-Amz-Signature={REDACTED}",
        kind="opaque",
        snapshot="v3",
    )
    assert reference(tmp_path, "postgres://u:hunter2@db/t").source == (
        f"postgres://u:{REDACTED}@db/t"
    )


@pytest.mark.parametrize("source", ["select * from t", "warehouse.churn", "/data/train.parquet"])
def test_with_a_snapshot_anything_else_is_opaque(tmp_path: Path, source: str) -> None:
    read = reference(tmp_path, source, "2024-01-02")
    assert (read.kind, read.source, read.digest) == ("opaque", source, None)


@pytest.mark.threat(14)
def test_what_is_missing_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert problem(tmp_path, "t.csv") == "data train: no such file"
    assert problem(tmp_path, "d/*.csv") == "data train: no such file"
    assert problem(tmp_path, "empty") == "data train: no such file"
    assert "leaves the repository" in problem(tmp_path, "../t.csv")
    assert "leaves the repository" in problem(tmp_path, "/data/t.csv")


@pytest.mark.threat(39)
def test_links_and_pipes_are_problems(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    assert "outside" in problem(tmp_path, "link")
    assert "outside" in problem(tmp_path, "link/passwd", "v1")
    assert "no such file" in problem(tmp_path, "pipe")


def test_rows_are_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a.csv").write_text("a\n1\n")
    assert reference(tmp_path, "d").rows == 1
    (tmp_path / "d/b.bin").write_text("x")
    (tmp_path / "fake.parquet").write_text("PAR1 not really")
    (tmp_path / "latin.csv").write_bytes(b"a\n\xff\n")
    (tmp_path / "header.csv").write_text("a\n")
    (tmp_path / "wide.csv").write_text("a\n" + "x" * 200_000)
    (tmp_path / "wider.csv").write_text("a\n" + "x" * 5_000_000)
    with (tmp_path / "big.csv").open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    assert reference(tmp_path, "d").rows is None
    assert reference(tmp_path, "fake.parquet").rows is None
    (tmp_path / "semicolon.csv").write_text('a;b\n1;"x\n"\n"2\n,3";y\n')
    assert reference(tmp_path, "semicolon.csv").rows == 2
    (tmp_path / "quotes.csv").write_text('a;b\n"1";5" pipe, and more\n2;6" pipe, and less\n')
    assert reference(tmp_path, "quotes.csv").rows == 2
    assert reference(tmp_path, "latin.csv").rows == 1
    assert reference(tmp_path, "header.csv").rows == 0
    assert reference(tmp_path, "wide.csv").rows == 1
    assert reference(tmp_path, "wider.csv").rows is None
    assert reference(tmp_path, "big.csv").rows is None


def test_rows_of_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"a": [1, 2, 3]}), tmp_path / "t.parquet")
    assert reference(tmp_path, "t.parquet").rows == 3
