"""A change that moves the store or the ledger: the review says what would be missing, and how it
gets there.
"""

from __future__ import annotations

from datetime import UTC, datetime

from assent.config.read import read_config
from assent.judging.moved_store import moved_ledger, moved_store
from assent.making.bundle_lookup import find
from assent.recording.reading import read_ledger
from assent.wiring import open_workspace
from tests.e2e.project import CONFIG, GRACE, Project


def notes(project: Project, store: str) -> tuple[str, ...]:
    """As the review of a change says it whose revision is not checked out."""
    workspace = open_workspace(
        project.folder, environ={}, now=datetime(2026, 1, 2, tzinfo=UTC), say=lambda _: None
    )
    view = read_ledger(workspace, "churn")
    candidate = find(workspace, view, "churn", "better")
    proposed = read_config(CONFIG.replace("../store", store).encode(), "assent.yaml")
    return moved_store(workspace, view, candidate, proposed)


def test_what_would_be_missing_is_said_and_the_copy_offered(shipped: Project) -> None:
    shipped.branch("better", accuracy="0.9")
    shipped.run("review", code=11)
    shipped.run("approve", "--as", GRACE)
    assert notes(shipped, "../store") == ()
    [said] = notes(shipped, "../other")
    assert "does not hold 2 of the 2 bundles" in said
    command = said.split("`")[1]
    assert command == "assent store copy ../other"
    shipped.run(*command.split()[1:])
    assert "holds this bundle and the newest versions" in notes(shipped, "../other")[0]

    # One of them is damaged there, so that it cannot be registered from there.
    largest = max(
        (shipped.folder.parent / "other/blobs/sha256").iterdir(), key=lambda one: one.name
    )
    largest.chmod(0o644)
    largest.write_bytes(b"damaged")
    assert "does not hold" in notes(shipped, "../other")[0]
    assert "is not known to hold" in notes(shipped, "s3://bucket/models")[0]


def test_a_change_that_moves_the_ledger_says_who_has_to_move_it(shipped: Project) -> None:
    workspace = open_workspace(
        shipped.folder, environ={}, now=datetime(2026, 1, 2, tzinfo=UTC), say=lambda _: None
    )

    def notes_on(ledger: str) -> tuple[str, ...]:
        text = f"ledger: {ledger}\n{CONFIG}"
        return moved_ledger(workspace, read_config(text.encode(), "assent.yaml"))

    assert notes_on("git:origin") == ()
    [said] = notes_on("s3://bucket/decisions")
    assert "`assent ledger move s3://bucket/decisions --reason …` on main" in said
