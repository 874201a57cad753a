"""A team on GitLab: its project, its people, and its pipeline as `assent init` writes it.

The jobs really run; the API that they talk to is the stand-in. Both stand on one Git repository,
and the store is a folder that the team's own runners reach.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e.project import Project
from tests.gitlab.accounts import User
from tests.gitlab.merge_requests import MergeRequest
from tests.templates.harness import Ended
from tests.templates.site import Running, Site

CONFIG = """\
store: {store}
models:
  churn:
    train: python train.py
    evaluate: python evaluate.py
    inputs: [train.py, data/train.csv]
    params: [params.json]
    model: model/
    metrics: [metrics.json]
    gates:
      - {{metric: accuracy, min: 0.5, max_drop: 0.05}}
    approvals: {{count: 1, from: [bob, grace]}}
    stages:
      staging: {{}}
      production: {{after: staging, approvals: {{count: 1, from: [rosa]}}}}
"""
FILES = {
    ".gitignore": ".assent/\nmodel/\nmetrics.json\n",
    "params.json": '{"accuracy": 0.8}\n',
    "data/train.csv": "x,y\n1,0\n2,1\n",
    "train.py": """\
import json, os, pathlib

params = json.loads(pathlib.Path("params.json").read_text())
pathlib.Path("model").mkdir(exist_ok=True)
learnt = {**params, "rows": pathlib.Path("data/train.csv").read_text().count("\\n") - 1}
pathlib.Path("model/weights.json").write_text(json.dumps(learnt))
tokens = [os.environ.get(f"ASSENT_{name}_TOKEN", "none") for name in ("GITLAB", "LEDGER")]
print("trained; tokens:", *tokens)
""",
    "evaluate.py": """\
import json, pathlib

learnt = json.loads(pathlib.Path("model/weights.json").read_text())
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": learnt["accuracy"]}))
""",
}


class World:
    """The project `acme/churn`. `ada` works on the model, `bob` and `grace` review, `rosa`
    releases, and `sam` maintains: he merges and presses the buttons.
    """

    def __init__(
        self,
        root: Path,
        *,
        files: Mapping[str, str] = FILES,
        added: str = "",
        store: str | None = None,
        **world: Any,
    ) -> None:
        """`added` is what the team adds to its `.gitlab-ci.yml`. Without a `store` there is a
        folder.
        """
        self.root = root
        self.files = dict(files)
        self.added = added
        self.store = root / "store"
        self.address = store or str(self.store)
        self.site = Site(root / "site", **world)
        self.server = self.site.server
        self.gitlab = self.site.gitlab
        self.ada, self.bob, self.grace, self.rosa = (
            self.gitlab.user(login, role="developer") for login in ("ada", "bob", "grace", "rosa")
        )
        self.sam = self.gitlab.user("sam", role="maintainer")
        self.site.protected["ASSENT_GITLAB_TOKEN"] = self.gitlab.project_token(
            "api", role="developer"
        )
        self.site.protected["ASSENT_LEDGER_TOKEN"] = self.gitlab.project_token(
            "write_repository", role="maintainer"
        )
        # Whoever may merge may run pipelines there, and so wakes the review.
        self.gitlab.project.protect("main", merge="developer")
        self._begin()

    def __enter__(self) -> Self:
        self.site.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.site.__exit__(kind, error, trace)

    def _begin(self) -> None:
        """The first commit: the project, and what `assent init --gitlab` adds to it."""
        project = self.clone("begin")
        files = {"assent.yaml": CONFIG.format(store=self.address), **self.files}
        for name, text in files.items():
            project.write(name, text)
        # "" where the runner has Assent already.
        project.run("init", "--gitlab", "--install", "")
        for name in (".gitlab-ci.yml", ".gitlab/assent.yml"):
            files[name] = (project.folder / name).read_text()
        files[".gitlab-ci.yml"] += self.added
        self.gitlab.project.push(self.sam, message="Predict churn", files=files)

    def propose(self, accuracy: float, **made: Any) -> MergeRequest:
        """A merge request by ada with other parameters."""
        files = {"params.json": f'{{"accuracy": {accuracy}}}\n', **made.pop("files", {})}
        return self.gitlab.open_merge_request(
            self.ada, title=f"Try {accuracy}", files=files, **made
        )

    def train(self, change: MergeRequest, by: User | None = None, **variables: str) -> Running:
        """The pipeline of a merge request, run to its end, and what it wakes up."""
        self.gitlab.tick()
        started = self.site.start(
            "merge_request_event", by or self.ada, merge_request=change, variables=variables
        )
        return started.play()

    def review(self, change: MergeRequest, by: User | None = None) -> Ended:
        """The job of the default branch that reviews a merge request after its pipeline."""
        running = self.train(change, by)
        for name, job in running.ended.items():
            assert job.code == 0, (name, job.log)
        woken = running.woken["assent-wake"]
        assert woken is not None
        return woken.ended["assent-review"]

    def look(self) -> Ended:
        """The job that reviews what waits, in a pipeline that nobody's push has started."""
        self.gitlab.tick()
        return self.site.start("schedule", self.sam).play().ended["assent-review"]

    def approve(self, change: MergeRequest, by: User) -> None:
        self.gitlab.tick()
        change.approve(by)

    def merge(self, change: MergeRequest, way: Any = "merge") -> Running:
        """Merge it, and run the pipeline of the default branch that follows."""
        self.gitlab.tick()
        change.merge(self.sam, way)
        self.gitlab.tick()
        return self.site.start("push", self.sam).play()

    def wake(self, **payload: Any) -> Running:
        """The pipeline of the default branch that a webhook with this payload starts."""
        self.gitlab.tick()
        file = self.root / "payload.json"
        file.write_text(json.dumps(payload))
        variables = {"TRIGGER_PAYLOAD": str(file)}
        return self.site.start("trigger", self.sam, variables=variables).play()

    def git(self, *words: str) -> str:
        """Git in the repository of the server."""
        done = subprocess.run(
            ["git", "-C", str(self.server.git), *words], capture_output=True, text=True, check=True
        )
        return done.stdout

    def entry(self, index: int) -> Any:
        """An entry of the ledger, by its place."""
        return self.entries()[index]

    def entries(self) -> list[Any]:
        """All entries of the ledger: those of full blocks, and the newest."""
        ref = "refs/heads/assent/churn"
        if ref not in self.git("for-each-ref", "--format=%(refname)").split():
            return []
        names = self.git("ls-tree", "-r", "--name-only", ref).split()
        full = [name for name in names if name.startswith("entries/")]
        newest = [name for name in names if "/" not in name and name.endswith(".jsonl")]
        blocks = [self.git("show", f"{ref}:{name}") for name in [*full, *newest]]
        return [json.loads(line) for block in blocks for line in block.splitlines()]

    def clone(self, name: str) -> Project:
        """A person's own clone."""
        folder = self.root / name / "work"
        folder.mkdir(parents=True)
        project = Project(folder)
        project.git("clone", "--quiet", str(self.server.git), ".")
        return project
