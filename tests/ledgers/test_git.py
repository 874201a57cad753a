"""What only the ledger in Git has: branches, tampering by hand, shallow clones, races."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from assent.core.entry import Kind, decode_entry, encode_entry
from assent.core.registry import ChainError, fold
from assent.errors import IntegrityError, OutsideError
from assent.git import Repository
from assent.ledgers import layout
from assent.ledgers.git.ledger import GitLedger
from assent.parsing import parse_yaml
from assent.ports import MovedError
from tests.builders import (
    draft,
    new_clone,
    new_repository,
    promoted,
    registered,
    run_git,
)
from tests.effort import more_in_soak

BRANCH = "assent/churn"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "remote.git", bare=True)


@pytest.fixture
def ledger(remote: Path, tmp_path: Path) -> GitLedger:
    return open_clone(remote, tmp_path / "clone")


def open_clone(remote: Path, folder: Path) -> GitLedger:
    return GitLedger(Repository(new_clone(remote, folder)), "origin")


def fill(ledger: GitLedger, versions: int) -> None:
    for number in range(1, versions + 1):
        ledger.append(ledger.read("churn"), [registered(number)])


def edit(remote: Path, tmp_path: Path, change: str) -> None:
    """Change the ledger branch behind Assent's back with a shell command, and push it."""
    folder = tmp_path / f"edit{time.monotonic_ns()}"
    run_git(tmp_path, "clone", "-q", "-b", BRANCH, str(remote), str(folder))
    subprocess.run(["sh", "-ec", change], cwd=folder, check=True)
    run_git(folder, "add", "-A")
    run_git(folder, "-c", "user.name=m", "-c", "user.email=m@x", "commit", "-qm", "x")
    run_git(folder, "push", "-q", "origin", BRANCH)


def test_the_branch_reads_as_a_timeline(ledger: GitLedger, remote: Path) -> None:
    fill(ledger, 1)
    ledger.append(ledger.read("churn"), [promoted(1, "production")])
    log = run_git(remote, "log", "--format=%s by %cn", BRANCH)
    assert log.splitlines() == ["promote v1 to production by alice", "register v1 by alice"]


def test_registry_yaml_says_what_is_where(ledger: GitLedger, remote: Path) -> None:
    fill(ledger, 2)
    ledger.append(ledger.read("churn"), [promoted(2, "production")])
    shown = parse_yaml(run_git(remote, "show", f"{BRANCH}:registry.yaml").encode())
    assert shown["stages"]["production"]["version"] == 2
    assert shown["versions"] == 2


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of three and folders of six: constants, not behaviours, are changed."""
    monkeypatch.setattr(layout, "BLOCK", 3)
    monkeypatch.setattr(layout, "FILES", 2)


@pytest.mark.usefixtures("small_blocks")
def test_full_blocks_of_entries_become_one_file(ledger: GitLedger, remote: Path) -> None:
    fill(ledger, 16)
    names = run_git(remote, "ls-tree", "-r", "--name-only", BRANCH).splitlines()
    assert [name for name in names if not name.startswith("index/")] == [
        "000000015.jsonl",
        "entries/000/000000000.jsonl",
        "entries/000/000000003.jsonl",
        "entries/001/000000006.jsonl",
        "entries/001/000000009.jsonl",
        "entries/002/000000012.jsonl",
        "registry.yaml",
    ]
    closed = json.loads(run_git(remote, "show", f"{BRANCH}:index/closed.json"))["objects"]
    assert sorted(closed) == ["entries/000", "entries/001", "entries/002/000000012.jsonl"]
    for path, oid in closed.items():
        assert run_git(remote, "rev-parse", f"{BRANCH}:{path}") == oid
    view = ledger.read("churn")
    assert view.astray(fold("churn", view.entries())) == ()
    assert [decode_entry(content).seq for content in view.entries(7)] == list(range(7, 16))
    assert [decode_entry(view.entry(seq)).seq for seq in range(16)] == list(range(16))


@pytest.mark.usefixtures("small_blocks")
def test_several_entries_at_once_fill_a_block(ledger: GitLedger) -> None:
    drafts = [registered(number) for number in range(1, 9)]
    ledger.append(ledger.read("churn"), drafts[:2])
    ledger.append(ledger.read("churn"), drafts[2:])
    view = ledger.read("churn")
    assert view.astray(fold("churn", view.entries())) == ()
    assert view.bundle_of(5) == drafts[4].subject.bundle


@pytest.mark.threat(26)
@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    "change",
    [
        "sed -i s/alice/mallory/ entries/000/000000000.jsonl",  # in a full folder
        "sed -i s/alice/mallory/ entries/001/000000006.jsonl",  # in a full block
        "sed -i s/alice/mallory/ 000000009.jsonl",  # in no block yet
        "rm entries/001/000000006.jsonl",
        "rm -r entries/000",
        "cp 000000009.jsonl entries/001/000000009.jsonl",
        "mkdir entries/002; cp 000000009.jsonl entries/002/000000012.jsonl",
        "cp 000000009.jsonl entries/000/000001.json",
        "cp 000000009.jsonl 000000006.jsonl",
        "cat entries/001/000000006.jsonl >> 000000009.jsonl",
        "mv 000000009.jsonl 000000012.jsonl",
        "rm 000000009.jsonl",
        "rm index/closed.json",
    ],
)
def test_a_change_of_any_age_is_found_by_the_next_write(
    ledger: GitLedger, remote: Path, tmp_path: Path, change: str
) -> None:
    fill(ledger, 10)
    edit(remote, tmp_path, change)
    before = run_git(remote, "rev-parse", BRANCH)
    with pytest.raises(IntegrityError):
        ledger.append(ledger.read("churn"), [registered(11)])
    assert run_git(remote, "rev-parse", BRANCH) == before


@pytest.mark.threat(26)
@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("change", "first_bad"),
    [
        ("sed -i 2s/alice/mallory/ entries/000/000000003.jsonl", 5),
        ("sed -i 2d entries/000/000000003.jsonl", 5),
        ("sed -i 2p entries/000/000000003.jsonl", 6),
        ("truncate -s -1 entries/000/000000003.jsonl", 5),
        ("rm entries/000/000000003.jsonl", 3),
        ("rm entries/001/000000006.jsonl", 6),
        ("rm 000000009.jsonl", 9),
        ("mv 000000009.jsonl 000000006.jsonl", 9),
    ],
)
def test_the_first_bad_entry_of_a_block_is_named(
    ledger: GitLedger, remote: Path, tmp_path: Path, change: str, first_bad: int
) -> None:
    fill(ledger, 10)
    edit(remote, tmp_path, change)
    with pytest.raises(ChainError) as caught:
        fold("churn", ledger.read("churn", strict=False).entries())
    assert caught.value.seq == first_bad


@pytest.mark.threat(26)
@pytest.mark.parametrize(
    ("change", "first_bad"),
    [
        ("sed -i 3s/alice/mallory/ 000000000.jsonl", 3),
        ("sed -i 3d 000000000.jsonl", 2),
        ("sed -i '2{p;p};3d' 000000000.jsonl", 2),
        ("sed -i '4s/$/ /' 000000000.jsonl", 3),
        ("sed -i '1s/.*/nonsense/' 000000000.jsonl", 0),
    ],
)
def test_a_tampered_chain_is_named_and_not_written_to(
    ledger: GitLedger, remote: Path, tmp_path: Path, change: str, first_bad: int
) -> None:
    fill(ledger, 5)
    edit(remote, tmp_path, change)
    before = run_git(remote, "rev-parse", BRANCH)
    with pytest.raises(ChainError) as caught:
        fold("churn", ledger.read("churn").entries())
    assert caught.value.seq == first_bad
    with pytest.raises(ChainError) as caught:
        ledger.append(ledger.read("churn"), [registered(6)])
    assert caught.value.seq == first_bad
    assert run_git(remote, "rev-parse", BRANCH) == before


@pytest.mark.threat(26)
@pytest.mark.parametrize(
    "change",
    [
        "sed -i 's/version: 1$/version: 2/' registry.yaml",
        "rm registry.yaml",
        "echo '{' > registry.yaml",
        "rm 000000000.jsonl",
        "sed -i s/alice/mallory/ 000000000.jsonl",
        "sed -i '$d' 000000000.jsonl",
        "truncate -s -1 000000000.jsonl",
        "echo '{' > 000000000.jsonl",
    ],
)
def test_an_edited_state_is_refused_by_readers_of_the_state(
    ledger: GitLedger, remote: Path, tmp_path: Path, change: str
) -> None:
    fill(ledger, 2)
    ledger.append(ledger.read("churn"), [promoted(1, "production")])
    edit(remote, tmp_path, change)
    with pytest.raises(IntegrityError):
        ledger.read("churn")


@pytest.mark.threat(26)
def test_a_ledger_rolled_back_is_noticed_by_who_has_seen_more(
    ledger: GitLedger, remote: Path
) -> None:
    fill(ledger, 3)
    run_git(remote, "update-ref", f"refs/heads/{BRANCH}", f"{BRANCH}~1")
    with pytest.raises(ChainError, match="rolled back"):
        ledger.read("churn")


@pytest.mark.threat(26)
def test_a_ledger_forked_is_noticed_by_who_has_seen_the_other(
    ledger: GitLedger, remote: Path, tmp_path: Path
) -> None:
    fill(ledger, 2)
    run_git(remote, "update-ref", f"refs/heads/{BRANCH}", f"{BRANCH}~1")
    other = open_clone(remote, tmp_path / "other")
    other.append(other.read("churn"), [registered(2, reason="another")])
    other.append(other.read("churn"), [registered(3)])
    with pytest.raises(ChainError, match="not the entry this clone has seen"):
        ledger.read("churn")


@pytest.mark.threat(31)
def test_a_ledger_that_disappeared_is_not_an_empty_one(ledger: GitLedger, remote: Path) -> None:
    fill(ledger, 1)
    run_git(remote, "update-ref", "-d", f"refs/heads/{BRANCH}")
    with pytest.raises(ChainError, match="disappeared"):
        ledger.read("churn")


@pytest.mark.threat(26)
def test_one_bad_ledger_does_not_hide_the_others(
    ledger: GitLedger, remote: Path, tmp_path: Path
) -> None:
    fill(ledger, 1)
    ledger.append(ledger.read("fraud"), [draft(Kind.NOTED, model="fraud", reason="x")])
    edit(remote, tmp_path, "rm registry.yaml")
    with pytest.raises(IntegrityError):
        ledger.read("churn")
    assert ledger.read("fraud").state.seq == 0


@pytest.mark.threat(31)
def test_a_shallow_clone_reads_and_writes_and_stays_as_shallow(
    ledger: GitLedger, remote: Path, tmp_path: Path
) -> None:
    fill(ledger, 3)
    work = tmp_path / "clone"
    run_git(work, "push", "-q", "origin", "main")
    run_git(work, "commit", "-q", "--allow-empty", "-m", "second")
    run_git(work, "push", "-q", "origin", "main")
    shallow = tmp_path / "shallow"
    run_git(tmp_path, "clone", "-q", "--depth=1", "-b", "main", remote.as_uri(), str(shallow))
    run_git(shallow, "checkout", "-q", "--detach")
    before = (shallow / ".git/shallow").read_bytes()
    other = GitLedger(Repository(shallow), "origin")
    assert other.read("churn").state.versions == 3
    other.append(other.read("churn"), [registered(4)])
    assert ledger.read("churn").state.versions == 4
    assert (shallow / ".git/shallow").read_bytes() == before
    assert not (work / ".git/shallow").exists()


def test_a_filtering_remote_sends_only_what_reading_needs(
    ledger: GitLedger, remote: Path, tmp_path: Path
) -> None:
    run_git(remote, "config", "uploadpack.allowFilter", "true")
    fill(ledger, 30)
    other = open_clone(remote, tmp_path / "other")
    run_git(tmp_path / "other", "remote", "set-url", "origin", remote.as_uri())
    other = GitLedger(Repository(tmp_path / "other"), "origin")
    assert other.read("churn").state.versions == 30
    [folder] = (tmp_path / "other/.git/assent").glob("*/ledger.git")
    counted = run_git(folder, "count-objects", "-v")
    packed = {key: int(value) for key, value in (r.split(": ") for r in counted.splitlines())}
    assert packed["in-pack"] + packed["count"] < 10
    other.append(other.read("churn"), [registered(31)])
    view = other.read("churn")
    assert view.astray(fold("churn", view.entries())) == ()


def test_an_unreachable_remote_is_an_outside_error(tmp_path: Path) -> None:
    ledger = open_clone(tmp_path / "nowhere.git", tmp_path / "clone")
    with pytest.raises(OutsideError, match="reading the ledger of churn from origin") as caught:
        ledger.read("churn")
    assert caught.value.hint


def test_a_remote_that_refuses_the_push_is_an_outside_error(
    ledger: GitLedger, remote: Path
) -> None:
    hook = remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'protected branch' >&2; exit 1\n")
    hook.chmod(0o755)
    with pytest.raises(OutsideError, match="protected branch") as caught:
        ledger.append(ledger.read("churn"), [registered(1)])
    assert "push to the branches" in (caught.value.hint or "")
    hook.unlink()
    assert ledger.read("churn").state.seq == -1


@pytest.mark.threat(32)
def test_a_push_that_arrived_although_it_looked_failed_is_not_repeated(
    ledger: GitLedger, remote: Path
) -> None:
    # The branch is updated, then the connection dies before the client hears of it.
    hook = remote / "hooks/post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nkill -9 $PPID\n")
    hook.chmod(0o755)
    [entry] = ledger.append(ledger.read("churn"), [registered(1)])
    assert entry.seq == 0
    hook.unlink()
    assert ledger.read("churn").state.seq == 0


@pytest.mark.threat(38)
def test_credentials_of_the_remote_are_not_in_errors_or_arguments(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "work")
    run_git(folder, "remote", "add", "origin", "http://bob:hunter2@127.0.0.1:9/x.git")
    ledger = GitLedger(Repository(folder), "origin")
    with pytest.raises(OutsideError) as caught:
        ledger.read("churn")
    assert "hunter2" not in str(caught.value)
    kept = [path.read_bytes() for path in folder.glob(".git/assent/**/*") if path.is_file()]
    assert not any(b"hunter2" in content for content in kept)


def _register_many(remote: str, folder: str, count: int, *, in_turn: bool = True) -> None:
    ledger = GitLedger(Repository(Path(folder)), "origin")
    written = 0
    while written < count:
        with ledger.turn("churn") if in_turn else nullcontext():
            view = ledger.read("churn")
            try:
                ledger.append(view, [registered(view.state.versions + 1)])
            except MovedError:
                time.sleep(0.002 * (os.getpid() % 7))
                continue
        written += 1


def _register_for_ever(folder: str) -> None:
    while True:
        _register_many("", folder, 1)
        os.write(sys.stdout.fileno(), b"wrote\n")


@pytest.mark.threat(24)
@pytest.mark.parametrize("count", [12, *more_in_soak(32)])
def test_many_writers_lose_and_double_nothing(remote: Path, tmp_path: Path, count: int) -> None:
    """Most of them take turns, and some do not, as if they were on another machine."""
    clones = [new_clone(remote, tmp_path / f"clone{number}") for number in range(8)]
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(
            target=_register_many,
            args=(str(remote), str(clones[number % 8]), 2),
            kwargs={"in_turn": number % 8 != 0},
        )
        for number in range(count)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * count
    view = GitLedger(Repository(clones[0]), "origin").read("churn")
    registry = fold("churn", view.entries())
    assert registry.state.versions == 2 * count
    assert view.astray(registry) == ()


@pytest.mark.threat(25)
def test_killed_while_writing_the_ledger_stays_valid(remote: Path, tmp_path: Path) -> None:
    clone = new_clone(remote, tmp_path / "clone")
    ledger = GitLedger(Repository(clone), "origin")
    fill(ledger, 1)
    code = f"from tests.ledgers.test_git import _register_for_ever as f; f({str(clone)!r})"
    for attempt in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[2],
            start_new_session=True,
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"wrote\n"
        time.sleep(0.03 * attempt)  # somewhere in what comes next
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        view = ledger.read("churn")
        assert view.astray(fold("churn", view.entries())) == ()
        ledger.append(view, [registered(view.state.versions + 1)])
    assert ledger.read("churn").state.versions >= 1 + 8 * 2


@pytest.mark.usefixtures("small_blocks")
def test_rebuild_writes_the_derived_files_again(
    ledger: GitLedger, remote: Path, tmp_path: Path
) -> None:
    fill(ledger, 10)
    edit(remote, tmp_path, "rm -r index; mkdir index; echo {} > index/closed.json")
    view = ledger.read("churn", strict=False)
    right = fold("churn", view.entries())
    bundle = registered(10).subject.bundle
    assert bundle is not None
    assert layout.record_path(bundle) in (view.astray(right) or ())
    ledger.rebuild(view, right)
    assert ledger.read("churn").astray(right) == ()
    ledger.append(ledger.read("churn"), [registered(11)])


def test_an_entry_is_canonical_or_refused() -> None:
    content = encode_entry(
        decode_entry(
            b'{"actor":{"forge":"f","host":"h","id":"1","kind":"person","login":"a",'
            b'"proof":"claimed"},"at":"2026-01-02T03:04:05Z","format":"assent/entry/1",'
            b'"kind":"noted","model":"churn","prev":"sha256:0","reason":"x","seq":0,'
            b'"state":"sha256:0"}\n'
        )
    )
    with pytest.raises(IntegrityError, match="canonical"):
        decode_entry(content.replace(b'"seq":0', b'"seq": 0'))
