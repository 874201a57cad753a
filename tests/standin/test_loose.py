"""What is written without Git is what Git would have written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.standin.loose import Loose
from tests.standin.objects import GitRefusedError, Objects, Signature

ADA = Signature("Ada", "ada@example.com", datetime(2026, 1, 2, tzinfo=UTC))
NAMES = st.sampled_from(["a", "b", "a.b", "a-b", "ab", "é", ".gitignore", "a b"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CHANGES = st.dictionaries(PATHS, st.none() | st.binary(max_size=3), max_size=4)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    return Objects(tmp_path_factory.mktemp("git") / "origin.git")


@given(changes=st.lists(CHANGES, min_size=1, max_size=4))
def test_trees_are_those_of_git(
    objects: Objects, changes: list[Mapping[str, bytes | None]]
) -> None:
    ours: str | None = None
    theirs: str | None = None
    by_git = Objects(objects.folder)
    by_git._loose = Elsewhere(objects.folder)
    for files in changes:
        made = objects._loose.tree_with(ours, files)
        if made is None:  # a file and a folder of the same name at once: Git is asked
            return
        parents = [] if theirs is None else [theirs]
        theirs = by_git.write(message="x", author=ADA, committer=ADA, parents=parents, files=files)
        ours = made
        assert by_git.run("rev-parse", f"{theirs}^{{tree}}") == ours
    objects.run("fsck", "--strict")


class Elsewhere(Loose):
    """Knows nothing of trees, so that Git is asked."""

    def tree_with(self, tree: str | None, files: Mapping[str, bytes | None]) -> str | None:
        return None


def made(objects: Objects, text: str) -> str:
    return objects.write(
        message=text, author=ADA, committer=ADA, parents=[], files={"a/b.txt": text}
    )


def test_git_reads_what_is_written(objects: Objects) -> None:
    sha = made(objects, "some text")
    objects.set_ref("refs/heads/topic", sha)
    assert (
        objects.run("rev-parse", "refs/heads/topic") == sha == objects.resolve("refs/heads/topic")
    )
    assert objects.run("cat-file", "-p", f"{sha}:a/b.txt") == "some text"
    assert objects.run("log", "-1", "--format=%an %ae %at %s", sha) == (
        f"Ada ada@example.com {int(ADA.at.timestamp())} some text"
    )
    objects.run("fsck", "--strict")


def test_what_git_has_packed_is_found(objects: Objects) -> None:
    sha = made(objects, "packed")
    objects.set_ref("refs/heads/packed", sha)
    objects.run("gc", "--quiet")
    again = Objects(objects.folder)
    assert again._loose.read(sha) is None
    assert again.resolve("refs/heads/packed") == again.resolve(sha) == sha
    assert again.commit(sha).message == "packed"
    newer = again.write(
        message="on it", author=ADA, committer=ADA, parents=[sha], files={"a/c.txt": "more"}
    )
    assert {one.path for one in again.folder_items(newer, "a")} == {"a/b.txt", "a/c.txt"}


def test_refs_are_gits(objects: Objects) -> None:
    sha = made(objects, "refs")
    objects.set_ref("refs/heads/one", sha)
    with pytest.raises(GitRefusedError):
        objects.set_ref("refs/heads/one/two", sha)
    with pytest.raises(GitRefusedError):
        objects.set_ref("refs/heads/nothing", "1" * 40)
    objects.delete_ref("refs/heads/one")
    assert objects.resolve("refs/heads/one") is None
    objects.set_ref("refs/heads/one/two", sha)
    assert objects.refs("refs/heads/one") == {"refs/heads/one/two": sha}
