"""What servers say to a push. The words of those that cannot be run here are as they were seen."""

from __future__ import annotations

import pytest

from assent.git import GitError, Refusal, refusal


def refused(status: str, stderr: str = "") -> Refusal:
    stdout = f"To https://git.example/x.git\n!\tabc:refs/heads/assent/m\t{status}\nDone\n"
    found = refusal(GitError("pushing", stderr, code=1, stdout=stdout))
    assert found is not None
    return found


@pytest.mark.parametrize("reason", ["fetch first", "non-fast-forward", "stale info"])
def test_git_itself_sees_that_another_was_first(reason: str) -> None:
    assert refused(f"[rejected] ({reason})").is_overtaken


@pytest.mark.parametrize(
    "stderr",
    [
        "remote: error: cannot lock ref 'refs/heads/assent/m': is at 1a2b but expected 3c4d",
        "remote: error: cannot lock ref 'refs/heads/assent/m': reference already exists",
        "remote: error: incorrect old value provided",
    ],
)
def test_a_server_sees_that_another_was_first(stderr: str) -> None:
    assert refused("[remote rejected] (failed to update ref)", stderr).is_overtaken


@pytest.mark.parametrize(
    ("status", "stderr"),
    [
        ("[remote rejected] (protected branch hook declined)", "remote: error: GH006: Protected"),
        ("[remote rejected] (push declined due to repository rule violations)", "remote: GH013"),
        ("[remote rejected] (pre-receive hook declined)", "remote: GitLab: You are not allowed"),
        ("[remote rejected] (hook declined)", "remote: no non-fast-forward today"),
        ("[remote rejected] (unpacker error)", "error: remote unpack failed: No space left"),
        ("[remote rejected] (Internal Server Error)", ""),
        ("[remote rejected] (branch is currently checked out)", ""),
        (
            "[remote rejected] (failed to update ref)",
            "remote: error: cannot lock ref 'refs/heads/assent/m': 'refs/heads/assent' exists; "
            "cannot create 'refs/heads/assent/m'",
        ),
        ("[remote rejected] (directory file conflict)", ""),
    ],
)
def test_no_other_refusal_is_a_lost_race(status: str, stderr: str) -> None:
    found = refused(status, stderr)
    assert not found.is_overtaken
    assert not found.is_locked
    assert found.words.startswith(found.reason)


def test_a_branch_in_the_way_and_a_lock_are_told_apart() -> None:
    status = "[remote rejected] (failed to update ref)"
    way = refused(status, "remote: error: cannot lock ref 'a/b': 'a' exists; cannot create 'a/b'")
    lock = refused(
        status, "remote: error: cannot lock ref 'a': Unable to create '/x/a.lock': File exists."
    )
    assert (way.is_in_the_way, way.is_locked) == (True, False)
    assert (lock.is_in_the_way, lock.is_locked) == (False, True)


@pytest.mark.parametrize(
    "stdout", ["", "Done\n", "!\ta:b\t[remote failure] (remote failed to report status)\n"]
)
def test_a_push_that_broke_off_was_refused_by_nobody(stdout: str) -> None:
    assert refusal(GitError("pushing", "the remote hung up", stdout=stdout)) is None


@pytest.mark.threat(36)
def test_the_words_of_a_server_are_bounded_and_plain() -> None:
    found = refused("[remote rejected] (no\x1b[31m)", "remote: \x1b[2Jx\n" * 10_000)
    assert "\x1b" not in found.words
    assert len(found.words) < 3_000
