"""The harness and the stand-in for the API together: workflows run, and the API knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.github.runs import Run as Started
from tests.github.server import Server
from tests.github.variables import variables
from tests.workflows.harness import Harness
from tests.workflows.results import Admission, Run

OF_THE_RUN = """
    actor actor_id base_ref head_ref ref ref_name ref_protected ref_type repository repository_id
    repository_owner repository_owner_id run_attempt run_id run_number sha triggering_actor
    workflow_ref workflow_sha
""".split()


class Site:
    """One GitHub: `server.github` is its state, `harness` its runners, both on one Git repository.

    `actions` as for the harness; everything else goes to the state. A job gets a token with the
    rights that it asks for and no others, unless its environment still waits for somebody.
    """

    def __init__(
        self, root: Path, *, actions: Mapping[str, Path] | None = None, **world: Any
    ) -> None:
        self._ends = ExitStack()
        bare = root / "origin.git"
        name = str(world.get("repository", "acme/churn"))
        self.harness = self._ends.enter_context(Harness(root, {name: bare}, actions=actions))
        self.server = self._ends.enter_context(Server(git=bare, web=self.harness.git.url, **world))
        self.harness.api_url = self.server.url
        self.github = self.server.github
        self.events = self.server.events

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.__exit__(kind, error, trace)

    def play(self, run: Started, payload: Mapping[str, Any]) -> Run:
        """Runs what `github.start_run` has started, and records in the API how it ended."""
        if run.pull is not None:
            # GitHub tries the merge before it starts the run; without one nothing is started.
            assert run.repository.test_merge(run.pull), "the pull request has conflicts"
        named = variables(self.server.where, run, Path())
        context = {name: named[f"GITHUB_{name.upper()}"] for name in OF_THE_RUN}

        def admit(job: Admission) -> str | None:
            self._keep_artifacts()
            if job.environment in [one.name for one in run.waits_for]:
                return None
            rights = {name.replace("-", "_"): level for name, level in job.permissions.items()}
            return self.github.workflow_token(**rights)

        ended = self.harness.run(run.path, run.event, payload, github=context, admit=admit)
        self._keep_artifacts()
        run.complete(ended.conclusion or "skipped")
        return ended

    def _keep_artifacts(self) -> None:
        """What jobs have uploaded since, the API knows of. One that replaces another is new."""
        for run in self.github.repository.runs:
            for name, path in self.harness.artifacts(str(run.id)).items():
                content = path.read_bytes()
                if content not in [one.content for one in run.artifacts if one.name == name]:
                    run.artifacts = [one for one in run.artifacts if one.name != name]
                    run.upload(name, content)
