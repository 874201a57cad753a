"""Somebody who goes on at a place where a run of Assent has ended somehow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from assent.core.bundle import read_manifest
from assent.errors import AssentError, ExitCode
from assent.ports import BlobState
from assent.recording.outcome import Decided
from assent.recording.whole import read_whole
from assent.verbs.bundle import bundle
from assent.verbs.promote import promote
from assent.verbs.register import register
from assent.verbs.verify import verify
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.e2e.project import Project

Verb = Callable[[Workspace], Decided]


class Person:
    """Somebody at the place of a project, whatever is left there."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.said: list[str] = []

    def open(self) -> Workspace:
        """A new run of Assent."""
        return open_workspace(
            self.project.folder,
            environ=self.project.environment,
            now=datetime.now(UTC),
            say=self.said.append,
        )

    def finds_all_that_was_decided(self, at: str) -> None:
        """Nothing that the store was derived from is lost, and no byte of any version."""
        workspace = self.open()
        read = read_whole(workspace, "churn")
        assert read.witnessed == {}, at
        for digest in read.registry.versions.values():
            blobs = read_manifest(workspace.store.read(digest)).blobs
            assert set(workspace.store.check(blobs).values()) == {BlobState.SOUND}, at

    def go_on(self, verb: Verb) -> Decided:
        """Run the verb again. Where it says that bytes are lost, do what it says first."""
        for left in self.project.remote.rglob("*.lock"):
            left.unlink()  # as a writer is told (tests/ledgers), after it has waited for long
        lost = self.outcome_of(verb)
        if isinstance(lost, Decided):
            return lost
        assert "`assent bundle --force` where it was trained" in (lost.hint or ""), lost
        bundle(self.open(), "churn")
        return verb(self.open())

    def finishes(self, verb: Verb, entries: int, at: str) -> None:
        """The verb, run again, finishes; all verifies; so many entries were written in all."""
        done = self.go_on(verb)
        assert done.exit_code is ExitCode.DONE, (at, done)
        after = verify(self.open(), ["churn"])
        assert (after.exit_code, after.entries) == (ExitCode.DONE, entries), (at, after)

    def outcome_of(self, verb: Verb) -> Decided | AssentError:
        """What a verb gives, or says is wrong."""
        try:
            return verb(self.open())
        except AssentError as error:
            return error


def registers(workspace: Workspace) -> Decided:
    return register(workspace, "churn")


def promotes(workspace: Workspace) -> Decided:
    return promote(workspace, "churn", "staging")
