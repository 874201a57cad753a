"""The stand-in for GitLab's API and the runner of its pipelines together, on one Git repository."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests import starting
from tests.effort import IS_SOAK
from tests.gitlab.accounts import User
from tests.gitlab.pipelines import Job
from tests.gitlab.pipelines import Pipeline as Started
from tests.gitlab.server import Server
from tests.templates.harness import Ended, Listed, Pipeline, checkout

_FITTING: set[str] = set()
"""The configurations that have been found to fit GitLab's schema."""
_LISTED: dict[tuple[str, object], dict[str, Listed]] = {}
"""By configuration and what its rules can read, the jobs of a pipeline."""
_TRIGGERS: dict[tuple[str, str], dict[str, Any]] = {}
"""What of a configuration starts other pipelines, in those of merge requests with variables."""
_ACCESSING: dict[str, frozenset[str]] = {}
"""By configuration, the jobs that deploy nothing to their environment."""


@dataclass
class Running:
    """A pipeline that has been started: its jobs by name, those that ended, and their runner.
    `woken` are the pipelines that its jobs have started, by the job's name; None where GitLab did
    not let them.
    """

    site: Site
    started: Started
    runner: Pipeline
    listed: dict[str, Listed]
    ended: dict[str, Ended] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    woken: dict[str, Running | None] = field(default_factory=dict)
    accessing: frozenset[str] = frozenset()
    """The jobs that take an environment's variables and deploy nothing there."""

    def play(self) -> Self:
        """Run what runs by itself, as far as what it needs has succeeded. What a job wakes up is
        run to its end, too.
        """
        triggers = self._triggers()
        for name, listed in self.listed.items():
            if listed.when != "on_success":
                continue
            needed = [self.ended.get(need) for need in listed.needs if need in self.listed]
            if not all(one is not None and one.code == 0 for one in needed):
                continue
            if name in triggers:
                self.woken[name] = self._wake(triggers[name])
            else:
                self._run(name, self._job(listed))
        return self

    def _triggers(self) -> dict[str, Any]:
        """Others than merge requests have none here."""
        if self.started.merge_request is None:
            return {}
        key = (self.runner.files(), str(sorted(self.started.variables.items())))
        if key not in _TRIGGERS:
            _TRIGGERS[key] = self.runner.triggers()
        return _TRIGGERS[key]

    def _wake(self, job: dict[str, Any]) -> Running | None:
        """What GitLab does for a job with `trigger`: a pipeline of another project or branch, in
        the name of whoever caused this one, if they may run one there.
        """
        trigger, runner = job["trigger"], self.runner
        project = self.started.project
        assert runner.expanded(trigger["project"]) == project.full_name
        branch = runner.expanded(trigger["branch"])
        protection = project.protection(branch)
        level = project.level(self.started.user)
        levels = (protection.push_level, protection.merge_level) if protection else (30,)
        if not any(0 < least <= level for least in levels):
            return None
        forward = trigger.get("forward", {})
        passed: dict[str, str] = {}
        if forward.get("yaml_variables", True):
            passed |= job.get("variables", {})
        if forward.get("pipeline_variables", False):
            passed |= self.started.variables
        return self.site.start("pipeline", self.started.user, ref=branch, variables=passed).play()

    def press(self, name: str, by: User, **typed: str) -> Ended:
        """Press the button of a manual job, with variables that the person types in."""
        listed = self.listed[name]
        assert listed.when == "manual", f"{name} runs by itself"
        job = self.jobs[name] if name in self.jobs else self._job(listed)
        if job.status != "manual":
            job = self.jobs[name] = job.retry(by)
        else:
            job.play(by, **typed)
        return self._run(name, job, **typed)

    def retry(self, name: str, by: User) -> Ended:
        """Press the button that runs a job again."""
        job = self.jobs[name] = self.jobs[name].retry(by)
        return self._run(name, job)

    def _job(self, listed: Listed) -> Job:
        self.jobs[listed.name] = self.started.job(
            listed.name,
            stage=listed.stage,
            is_manual=listed.when == "manual",
            environment=None if listed.name in self.accessing else listed.environment,
        )
        return self.jobs[listed.name]

    def _run(self, name: str, job: Job, **typed: str) -> Ended:
        variables = self.site.server.variables(job)
        self.runner.remote = self.site.server.remote(job)
        environment = self.listed[name].environment
        secrets = self.site.secrets(self.started, environment)
        if name in self.accessing:
            variables |= {
                "CI_ENVIRONMENT_NAME": str(environment),
                "CI_ENVIRONMENT_ACTION": "access",
            }
        ended = self.runner.run(name, **{**variables, **secrets, **typed})
        if ended.artifacts.is_dir():
            job.leave(zipped(ended.artifacts))
        job.finish("success" if ended.code == 0 else "failed")
        self.site.gitlab.follow_pushes()
        self.ended[name] = ended
        return ended


class Site:
    """One GitLab: `gitlab` is its state, and pipelines really run on its repository.

    `plain` are variables of the project for every pipeline, `protected` those that only pipelines
    of protected branches get, and `scopes` the environments that one of them is for, where not for
    all jobs. `programs` are the folders in which jobs find programs first.
    """

    def __init__(self, root: Path, **world: Any) -> None:
        self.root = root
        self.server = Server(git=root / "origin.git", **world)
        self.gitlab = self.server.gitlab
        self.plain: dict[str, str] = {}
        self.protected: dict[str, str] = {}
        self.scopes: dict[str, tuple[str, ...]] = {}
        self.programs: list[Path] = []
        self._count = 0

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.__exit__(kind, error, trace)

    def secrets(self, started: Started, environment: str | None) -> dict[str, str]:
        """The project's own variables in a job, or where a pipeline is made, which is none: a fork
        has none of them.
        """
        if started.project is not self.gitlab.project:
            return {}
        is_protected = started.merge_request is None and (
            started.project.protection(started.ref) is not None
        )
        every = {**self.plain, **(self.protected if is_protected else {})}
        return {name: value for name, value in every.items() if self._is_for(name, environment)}

    def _is_for(self, name: str, environment: str | None) -> bool:
        scopes = self.scopes.get(name, ("*",))
        return "*" in scopes or any(fnmatchcase(environment or "", one) for one in scopes)

    def start(self, source: Any, by: User, **made: Any) -> Running:
        """Start a pipeline and see which jobs it has."""
        started, runner = self._prepare(source, by, **made)
        files = runner.files()
        jobs = self._jobs(runner, files)
        if files not in _ACCESSING:
            _ACCESSING[files] = frozenset(
                name
                for name, job in runner.whole(is_checked=False).items()
                if isinstance(job, dict)
                and isinstance(job.get("environment"), dict)
                and job["environment"].get("action") == "access"
            )
        return Running(self, started, runner, jobs, accessing=_ACCESSING[files])

    def _jobs(self, runner: Pipeline, files: str) -> dict[str, Listed]:
        """The jobs of a pipeline. The tool takes as long to list them as to run one."""
        key = (files, runner.read_by_rules())
        if IS_SOAK or key[1] is None or key not in _LISTED:
            _LISTED[key] = runner.jobs(is_checked=files not in _FITTING)
            _FITTING.add(files)
        return dict(_LISTED[key])

    def is_let_in(self, source: Any, by: User, **made: Any) -> bool:
        """Whether `workflow: rules` let such a pipeline be."""
        return self._prepare(source, by, **made)[1].is_let_in()

    def _prepare(self, source: Any, by: User, **made: Any) -> tuple[Started, Pipeline]:
        started = self.gitlab.run_pipeline(source, by, **made)
        self._count += 1
        folder = self.root / f"pipeline-{self._count}"
        checkout(folder, self.server.git, started.sha)
        look = started.job("look", stage=".pre")
        variables = {
            **self.server.variables(look),
            **self.secrets(started, None),
            **started.variables,
        }
        look.finish()
        started.jobs.remove(look)
        for name in [one for one in variables if one.startswith("CI_JOB")]:
            del variables[name]
        return started, Pipeline(
            folder,
            variables,
            remote=self.server.git,
            path=(*self.programs, *starting.programs()),
        )


def zipped(folder: Path) -> bytes:
    """The archive that a runner makes of a folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return buffer.getvalue()
