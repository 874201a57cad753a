"""What a run of the harness has to say. All text is as GitHub would show it, secrets hidden."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec


class Annotation(msgspec.Struct, frozen=True, rename="camel"):
    level: str
    message: str
    title: str | None = None
    file: str | None = None
    line: str | None = None
    end_line: str | None = None
    col: str | None = None
    end_column: str | None = None


class Step(msgspec.Struct, frozen=True):
    """One step; a composite action has those inside it as `steps`."""

    id: str
    name: str
    uses: str | None
    run: str | None
    outcome: str
    """success, failure or skipped: before `continue-on-error`; `conclusion` is after it."""
    conclusion: str
    exit_code: int | None
    inputs: dict[str, str]
    outputs: dict[str, str]
    env: dict[str, str]
    exported: dict[str, str]
    """What was written to `GITHUB_ENV`."""
    path: list[str]
    state: dict[str, str]
    steps: list[Step]
    log: str
    annotations: list[Annotation]
    groups: list[str]
    summary: str

    def walk(self) -> Iterator[Step]:
        yield self
        for step in self.steps:
            yield from step.walk()


class Environment(msgspec.Struct, frozen=True):
    name: str
    url: str | None = None


class Concurrency(msgspec.Struct, frozen=True):
    group: str
    cancel_in_progress: bool


class Job(msgspec.Struct, frozen=True):
    id: str
    name: str
    needs: list[str]
    result: str
    """success, failure, cancelled or skipped."""
    permissions: dict[str, str]
    """What the job's token may do; empty for a job that was skipped."""
    environment: Environment | None
    concurrency: Concurrency | None
    outputs: dict[str, str]
    matrix: dict[str, Any] | None
    runs_on: Any
    timeout_minutes: float | None
    workspace: str | None
    steps: list[Step]
    posts: list[Step]
    """What actions did after the last step, such as removing credentials."""
    log: str
    summary: str
    annotations: list[Annotation]

    def step(self, name: str) -> Step:
        """The step of this id or name, also inside composite actions."""
        steps = [one for step in self.steps for one in step.walk()]
        found = [one for one in steps if name in (one.id, one.name)]
        assert len(found) == 1, f"{name!r} is {len(found)} of {[one.name for one in steps]}"
        return found[0]


class Run(msgspec.Struct, frozen=True):
    """One run of a workflow; `errors` are those of GitHub's parser."""

    errors: list[str]
    triggered: bool
    reason: str | None
    """Why the event did not start the workflow."""
    conclusion: str | None
    jobs: list[Job]
    name: str | None = None
    run_name: str | None = None
    concurrency: Concurrency | None = None
    id: str = ""
    event: str = ""
    sha: str = ""

    def job(self, name: str) -> Job:
        """The job of this id or name."""
        found = [job for job in self.jobs if name in (job.id, job.name)]
        assert len(found) == 1, f"{name!r} is {len(found)} of {[job.name for job in self.jobs]}"
        return found[0]

    @property
    def log(self) -> str:
        return "".join(job.log for job in self.jobs)


class Admission(msgspec.Struct, frozen=True):
    """A job that wants to start: what a test needs to know to give it a token."""

    job: str
    name: str
    permissions: dict[str, str]
    environment: str | None
    concurrency: str | None
    matrix: dict[str, Any] | None
    run_id: str = ""
    event: str = ""
    actor: str = ""
