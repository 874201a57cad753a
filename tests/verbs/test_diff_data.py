"""Data sets anywhere on the machine are called what they were called on the command line."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assent.errors import AssentError
from assent.report.sections.data import data_section
from assent.report.text import to_text
from assent.verbs.diff_data import diff_data

GOOD = "id,x\n1,1.5\n2,2.5\n"


def said(old: str, new: str) -> str:
    with pytest.raises(AssentError) as caught:
        diff_data(old, new)
    return str(caught.value)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = tmp_path / "work"
    (work / "d").mkdir(parents=True)
    monkeypatch.chdir(work)
    (work / "old.csv").write_text(GOOD)
    (work / "d/1.csv").write_text(GOOD)
    (work / "d/2.csv").write_text(GOOD + "3,4,5\n")
    return work


def test_files_are_called_as_they_were_written(here: Path) -> None:
    (here / "new.csv").write_text(GOOD + "3,4,5\n")
    for written in ("new.csv", "./new.csv", "../work/new.csv", str(here / "new.csv")):
        text = said("old.csv", written)
        assert text.startswith(f"reading {written}: 1 line is not as the header says: ")
        assert f" {written}, line 4 has 3 cells" in text


def test_files_of_a_folder_and_of_a_glob(here: Path) -> None:
    for written in ("d", "./d/", str(here / "d")):
        text = said("old.csv", written)
        assert f"{written.rstrip('/')}/2.csv, line 4 has 3 cells" in text
    assert "d/2.csv, line 4 has 3 cells" in said("old.csv", "d/*.csv")
    assert f" {here}/d/2.csv, line 4 has" in said("old.csv", f"{here}/d/*.csv")


def test_what_is_not_there_is_called_as_it_was_written(here: Path) -> None:
    for written in ("none.csv", str(here / "none.csv")):
        assert f"reading {written}: " in said("old.csv", written)
    (here / "lfs.csv").write_text(
        "version https://git-lfs.github.com/spec/v1\n" + f"oid sha256:{'a' * 64}\nsize 12345\n"
    )
    assert f"{here}/lfs.csv is a Git LFS pointer" in said("old.csv", f"{here}/lfs.csv")


def test_notes_name_the_file(here: Path) -> None:
    (here / "new.csv").write_text("id x\n1 1.5\n2 2.5\n")
    (note,) = diff_data("old.csv", str(here / "new.csv")).notes
    assert note.startswith(f"{here}/new.csv: it was read as one column; if the 2 parts")


def test_fields_in_another_order_are_said_and_no_change_of_the_schema(here: Path) -> None:
    for name, fields in (("old", "ab"), ("new", "ba")):
        struct = pa.struct([(field, pa.int64()) for field in fields])
        values = pa.array([{"a": at, "b": -at} for at in range(50)], struct)
        pq.write_table(pa.table({"id": list(range(50)), "s": values}), here / f"{name}.parquet")
    found = diff_data("old.parquet", "new.parquet", key=["id"]).diff
    (change,) = found.changes
    assert change.rows is not None
    assert (change.rows.same, change.rows.changed) == (50, 0)
    told = to_text([data_section(found)])
    assert "the fields are in another order" in told
    assert "schema" not in told
