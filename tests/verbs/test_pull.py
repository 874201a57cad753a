"""`pull`: the served files, verified, whole or not at all."""

from __future__ import annotations

import pytest

from assent.errors import IntegrityError, UsageError
from assent.verbs.pull import pull
from tests.verbs.place import MODEL, Place


def test_the_files_of_a_stage(place: Place) -> None:
    place.version(1)
    place.hold("production", 1)
    target = place.folder.parent / "served"
    result = pull(place.open(), MODEL, "production", target)
    assert (target / "model.bin").read_bytes() == b"v1"
    assert (result.version, result.files, result.size_bytes, result.is_new) == (1, 1, 2, True)
    assert not pull(place.open(), MODEL, "v1", target).is_new


def test_what_else_stands_there_is_kept_unless_it_is_to_go(place: Place) -> None:
    place.version(1)
    target = place.folder.parent / "served"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something else") as caught:
        pull(place.open(), MODEL, "v1", target)
    assert "--force" in (caught.value.hint or "")
    assert (target / "notes.txt").read_text() == "mine"
    pull(place.open(), MODEL, "v1", target, force=True)
    assert [path.name for path in target.iterdir()] == ["model.bin"]


def test_nothing_appears_of_damaged_bytes(place: Place) -> None:
    place.version(1)
    [blob] = [digest for digest, content in place.store.blobs.items() if content == b"v1"]
    place.store.blobs[blob] = b"x1"
    target = place.folder.parent / "served"
    with pytest.raises(IntegrityError):
        pull(place.open(), MODEL, "v1", target)
    assert not target.exists()


def test_a_folder_with_a_repository_is_nothing_to_replace(place: Place) -> None:
    place.version(1)
    for target in (place.folder, place.folder.parent, place.folder / ".git" / "x"):
        with pytest.raises(UsageError, match="is or holds a repository"):
            pull(place.open(), MODEL, "v1", target, force=True)
    assert (place.folder / "train.py").exists()
