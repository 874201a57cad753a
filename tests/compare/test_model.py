"""The served files side by side."""

from __future__ import annotations

from msgspec import UNSET

from assent.compare.model import compare_model
from assent.core.diff.model import FileChange
from tests.compare.known import known


def test_files_differ_by_path_and_digest() -> None:
    old = known(files={"same": "x", "edited": "aa", "gone": "yyy"}).bundle
    new = known(files={"same": "x", "edited": "bb", "came": "zzzz"}).bundle
    diff = compare_model(old, new)
    assert diff.changes == (
        FileChange(path="came", old_size_bytes=UNSET, new_size_bytes=4),
        FileChange(path="edited", old_size_bytes=2, new_size_bytes=2),
        FileChange(path="gone", old_size_bytes=3, new_size_bytes=UNSET),
    )
    assert (diff.old_size_bytes, diff.new_size_bytes, diff.files) == (6, 7, 3)


def test_a_renamed_file_is_one_that_went_and_one_that_came() -> None:
    diff = compare_model(known(files={"a": "x"}).bundle, known(files={"b": "x"}).bundle)
    assert [change.path for change in diff.changes] == ["a", "b"]
