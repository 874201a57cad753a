"""What cannot be read is no empty ledger: nothing is repaired or written because of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assent.core.registry import LostError
from assent.errors import AssentError, ExitCode
from assent.ledgers.git.ledger import GitLedger
from assent.recording.reading import read_ledger
from assent.verbs.note import note
from assent.verbs.recover import recover
from assent.verbs.verify import verify
from tests.builders import new_clone, new_repository, run_git
from tests.effort import more_in_soak
from tests.ledgers.test_every_file import BRANCH, commit, folder, opened, put, small

__all__ = ["folder", "small"]  # fixtures

ENTRIES = 60


def pointers(folder: Path) -> dict[str, bytes]:
    """Everything in the store, but its index and what is not complete."""
    there = [path for path in (folder / "store").rglob("*") if path.is_file()]
    names = {str(path.relative_to(folder / "store")): path for path in there}
    return {name: path.read_bytes() for name, path in names.items() if name.startswith("churn/")}


def empty(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"")


def garble(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"\0" * 64)


def cut(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def remove(path: Path) -> None:
    path.unlink()


def remove_all(path: Path) -> None:
    shutil.rmtree(path)


def put_a_file_there(path: Path) -> None:
    remove_all(path)
    path.write_bytes(b"x")


def put_a_folder_there(path: Path) -> None:
    remove(path)
    (path / "in it").mkdir(parents=True)


def lead_nowhere(path: Path) -> None:
    remove(path)
    path.symlink_to("nowhere")


def write_no_text(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"\xff\xfe\n")


Damage = Callable[[Path], None]
COPY = ["HEAD", "shallow", f"refs/heads/{BRANCH}", "objects/pack/*.pack"]
MORE = ["config", "objects/pack/*.idx", "objects/pack/*.promisor", "../lock", "../seen/churn"]
SOME = [empty, put_a_folder_there]
ALL = [*SOME, *more_in_soak(write_no_text, garble, cut, remove, lead_nowhere)]


@pytest.mark.threat(26)
@pytest.mark.parametrize("damage", ALL)
@pytest.mark.parametrize("what", [*COPY, *more_in_soak(*MORE)])
def test_a_damaged_copy_is_made_anew(folder: Path, what: str, damage: Damage) -> None:
    """Whatever the verb is that comes upon it, and without a word."""
    before = pointers(folder)
    [copy] = (folder / ".git/assent").glob("*/ledger.git")
    kept = shutil.copytree(copy.parent, folder.parent / "kept")
    for verb in ("verify", "note"):
        shutil.rmtree(copy.parent)
        shutil.copytree(kept, copy.parent)
        for path in copy.glob(what):
            damage(path)
        if verb == "note":
            [entry] = note(opened(folder), "churn", "an event").entries
            assert entry.seq == ENTRIES
            continue
        result = verify(opened(folder), ["churn"], repair=True, blobs=False)
        assert (result.entries, result.faults) == (ENTRIES, ())
        assert pointers(folder) == before


@pytest.mark.threat(26)
@pytest.mark.parametrize(
    "what", ["refs", "../seen", "", *more_in_soak("refs/heads", "objects", "..")]
)
@pytest.mark.parametrize("damage", [remove_all, *more_in_soak(put_a_file_there)])
def test_so_is_one_with_something_else_in_the_place_of_a_folder(
    folder: Path, what: str, damage: Damage
) -> None:
    [copy] = (folder / ".git/assent").glob("*/ledger.git")
    damage(Path(os.path.normpath(copy / what)))
    [entry] = note(opened(folder), "churn", "an event").entries
    assert entry.seq == ENTRIES
    assert verify(opened(folder), ["churn"], blobs=False).faults == ()


@pytest.mark.threat(26)
def test_what_is_damaged_while_it_is_read_is_fetched_again(folder: Path) -> None:
    view = read_ledger(opened(folder), "churn")
    [copy] = (folder / ".git/assent").glob("*/ledger.git")
    for path in [copy / "HEAD", *copy.glob("objects/pack/*.pack")]:
        empty(path)
    assert len(list(view.entries())) == ENTRIES
    assert view.bundle_of(1) is not None


def delete_all(folder: Path) -> None:
    commit(folder, b"deleteall")


def delete_entries(folder: Path) -> None:
    commit(folder, b"D entries")


def keep_a_readme(folder: Path) -> None:
    commit(folder, b"deleteall", put("README.md", b"moved\n"))


def delete_the_branch(folder: Path) -> None:
    run_git(folder, "update-ref", "-d", f"refs/heads/{BRANCH}")


def begin_anew(folder: Path) -> None:
    run_git(folder, "update-ref", f"refs/heads/{BRANCH}", run_git(folder, "rev-parse", "main"))


@pytest.mark.threat(26)
@pytest.mark.parametrize("is_known", [True, False], ids=["seen before", "never seen"])
@pytest.mark.parametrize(
    "harm", [delete_all, delete_entries, keep_a_readme, delete_the_branch, begin_anew]
)
def test_a_branch_whose_entries_are_gone_is_no_empty_ledger(
    folder: Path, harm: Callable[[Path], None], is_known: bool
) -> None:
    before = pointers(folder)
    harm(folder)
    if not is_known:
        shutil.rmtree(folder / ".git/assent")
    for repair in (False, True):
        result = verify(opened(folder), ["churn"], repair=repair, blobs=False)
        assert result.exit_code == ExitCode.INTEGRITY
        assert [fault for fault in result.faults if fault.repaired] == []
        assert pointers(folder) == before
    with pytest.raises(AssentError):
        note(opened(folder), "churn", "an event")
    assert pointers(folder) == before


@pytest.mark.threat(26)
@pytest.mark.parametrize("head", [True, False], ids=["with its head", "without"])
def test_a_server_restored_from_yesterdays_copy_is_never_said_to_be_right(
    tmp_path: Path, folder: Path, head: bool
) -> None:
    """The ledger is on a server; this clone and another one work with it, and with one store."""
    server = new_repository(tmp_path / "server.git", bare=True)
    run_git(folder, "remote", "add", "origin", str(server))
    run_git(folder, "push", "-q", "origin", "main", BRANCH)
    verify(opened(folder), ["churn"], repair=True, blobs=False)
    yesterday = tmp_path / "yesterday.git"
    shutil.copytree(server, yesterday)
    lost = note(opened(folder), "churn", "what gets lost").entries[0].seq
    kept = pointers(folder)

    shutil.rmtree(server)
    yesterday.rename(server)
    if not head:
        (folder / "store/churn/head").unlink()
        kept = pointers(folder)
    for clone in (folder, _fresh(folder, server, tmp_path / "fresh")):
        is_witnessed = head or clone == folder
        if not is_witnessed:
            continue  # nobody there can know of an entry that moved nothing but the head
        with pytest.raises(AssentError, match=r"rolled back|was derived from entry"):
            note(opened(clone), "churn", "an event")
        with pytest.raises(AssentError, match=r"rolled back|was derived from entry"):
            read_ledger(opened(clone), "churn")
        result = verify(opened(clone), ["churn"], repair=True, blobs=False)
        assert result.exit_code == ExitCode.INTEGRITY
        assert any("entry" in fault.problem for fault in result.faults)
        assert pointers(folder) == kept
        assert run_git(server, "rev-list", "--count", BRANCH) == str(lost)


@pytest.mark.threat(45)
def test_after_a_recovery_other_clones_are_told_what_mends_them(
    tmp_path: Path, folder: Path
) -> None:
    server = new_repository(tmp_path / "server.git", bare=True)
    run_git(folder, "remote", "add", "origin", str(server))
    run_git(folder, "push", "-q", "origin", "main", BRANCH)
    yesterday = run_git(server, "rev-parse", BRANCH)
    note(opened(folder), "churn", "what gets lost")
    run_git(server, "update-ref", f"refs/heads/{BRANCH}", yesterday)
    recover(opened(_fresh(folder, server, tmp_path / "fresh")), "churn", reason="a backup")
    with pytest.raises(LostError) as caught:
        note(opened(folder), "churn", "an event")
    assert "verify --recover" in (caught.value.hint or "")
    assert all(fault.is_lost for fault in verify(opened(folder), ["churn"], blobs=False).faults)
    recover(opened(folder), "churn", reason="as the others did")
    note(opened(folder), "churn", "an event")
    assert verify(opened(folder), ["churn"], blobs=False).faults == ()


class StoppedLedger(GitLedger):
    """The process ends when a loss is noted."""

    def forget(self, model: str) -> None:
        raise InterruptedError(model)


@pytest.mark.threat(32)
def test_a_recovery_that_was_cut_off_is_noted_once(folder: Path) -> None:
    before = run_git(folder, "rev-parse", BRANCH)
    note(opened(folder), "churn", "what gets lost")
    run_git(folder, "update-ref", f"refs/heads/{BRANCH}", before)
    place = opened(folder)
    with pytest.raises(InterruptedError):
        recover(
            replace(place, ledger=StoppedLedger(place.repository, None)), "churn", reason="a backup"
        )
    assert len(list((folder / ".assent/pending").iterdir())) == 1
    assert recover(opened(folder), "churn", reason="a backup").seq == ENTRIES
    assert verify(opened(folder), ["churn"], blobs=False).entries == ENTRIES + 1
    assert not list((folder / ".assent/pending").iterdir())


def _fresh(folder: Path, server: Path, place: Path) -> Path:
    clone = new_clone(server, place)
    subprocess.run(["cp", str(folder / "assent.yaml"), str(clone)], check=True)
    (clone / "store").symlink_to(folder / "store")
    return clone
