"""A team on GitHub: its repository, its people, and its workflows as `assent init` writes them.

The workflows really run, in the harness; the API that they talk to is the stand-in. Both stand on
one Git repository, and the store is a folder that the team's own machines reach, or a registry.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests import starting
from tests.e2e.project import Ran, check
from tests.github.accounts import Account
from tests.github.pulls import Comment, How, Pull, Review
from tests.github.repository import Repository
from tests.github.runs import Run as Started
from tests.workflows.results import Run
from tests.workflows.site import Site

ROOT = Path(__file__).parents[2]
ACTIONS = "assent-dev/assent"
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
    approvals: {{count: 1, from: {approvers}}}
    stages:
      staging: {{}}
      production: {{after: staging, approvals: {{count: 1, from: [rosa]}}}}
"""
FILES = {
    ".gitignore": ".assent/\nmodel/\nmetrics.json\n",
    "params.json": '{"accuracy": 0.8}\n',
    "data/train.csv": "x,y\n1,0\n2,1\n",
    # What the "model" learns is its parameters and its data, and, as with a seed that nobody has
    # fixed, something else whenever it is run again.
    "train.py": """\
import json, os, pathlib

params = json.loads(pathlib.Path("params.json").read_text())
pathlib.Path("model").mkdir(exist_ok=True)
learnt = {**params, "rows": pathlib.Path("data/train.csv").read_text().count("\\n") - 1}
learnt["seed"] = os.environ.get("GITHUB_RUN_ATTEMPT", "0")
pathlib.Path("model/weights.json").write_text(json.dumps(learnt))
print("trained; a token:", os.environ.get("GITHUB_TOKEN", "none"))
""",
    "evaluate.py": """\
import json, pathlib

learnt = json.loads(pathlib.Path("model/weights.json").read_text())
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": learnt["accuracy"]}))
""",
}


INSTALL = (
    "      # Install here what your training needs, for example: pip install -r requirements.txt\n"
)
"""Where the workflows have room for what a team adds."""


class World:
    """The repository `acme/churn`. `ada` works in a fork, `bob` and
    `grace` review, `rosa` releases, and `sam` merges and presses the buttons.
    """

    def __init__(
        self,
        root: Path,
        *,
        approvers: str = "[bob, grace]",
        files: Mapping[str, str] = FILES,
        fetch: str = "",
        store: str | None = None,
    ) -> None:
        """`fetch` is a command that only the jobs which train run before that. Without a `store`
        it is a folder.
        """
        self.root = root
        self.files = dict(files)
        self.fetch = fetch
        self.approvers = approvers
        self.store = root / "store"
        self.address = store or str(self.store)
        self.site = Site(root / "site", actions={ACTIONS: ROOT})
        self.github = self.site.github
        self.server = self.site.server
        self.events = self.site.events
        self.github.repository.is_private = False
        self.ada = self.github.user("ada")
        self.bob, self.grace, self.rosa, self.sam = (
            self.github.user(login, role="write") for login in ("bob", "grace", "rosa", "sam")
        )
        self.github.protect_environment("production", self.rosa)
        self.fork = self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.site.__exit__(kind, error, trace)

    def _begin(self) -> Repository:
        """The first commit: the project, and what `assent init --github` adds to it."""
        folder = self.clone("begin")
        files = {"assent.yaml": self.config, **self.files}
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        self.run(folder, "init", "--github", "--actions", f"{ACTIONS}@{'a' * 40}")
        for workflow in sorted((folder / ".github/workflows").iterdir()):
            text = workflow.read_text()
            if self.fetch:
                text = text.replace(INSTALL, f"      - run: {self.fetch}\n")
            files[f".github/workflows/{workflow.name}"] = text
        self.github.repository.push(self.sam, message="Predict churn", files=files)
        return self.github.fork(self.ada)

    @property
    def config(self) -> str:
        return CONFIG.format(store=self.address, approvers=self.approvers)

    # --- what people do ---

    def propose(self, accuracy: float, *, fork: bool = True, **made: Any) -> Pull:
        """A pull request with other parameters, from ada's fork or, by sam, from a branch here."""
        files = {"params.json": f'{{"accuracy": {accuracy}}}\n', **made.pop("files", {})}
        by, of = (self.ada, self.fork) if fork else (self.sam, None)
        return self.github.open_pull(by, title=f"Try {accuracy}", files=files, fork=of, **made)

    def approve(self, pull: Pull, by: Account, **made: Any) -> Review:
        self.github.tick()
        return pull.review(by, "APPROVED", **made)

    # --- what GitHub does then ---

    def train(self, pull: Pull, action: str = "opened") -> tuple[Started, Run]:
        """`assent.yml`: the untrusted run that a pull request or a push to it sets off."""
        started = self.github.start_run(event="pull_request", actor=pull.author, pull=pull)
        return started, self.play(started, self.events.pull_request(pull, action))

    def follow(self, started: Started) -> Run:
        """`assent-review.yml`: the trusted run that the end of another one sets off."""
        self.github.tick()
        trusted = self.github.start_run(
            event="workflow_run",
            actor=started.triggering_actor,
            path=".github/workflows/assent-review.yml",
            name="assent-review",
        )
        return self.play(trusted, self.events.workflow_run(started))

    def review(self, pull: Pull, action: str = "opened") -> Run:
        """Both, one after the other."""
        started, made = self.train(pull, action)
        assert made.conclusion == "success", made.log
        return self.follow(started)

    def wake(self, review: Review, action: str = "submitted") -> Run:
        """What somebody's review sets off: a run that does nothing, and the one that follows."""
        pull = review.pull
        started = self.github.start_run(event="pull_request_review", actor=review.author, pull=pull)
        woken = self.play(started, self.events.pull_request_review(review, action))
        assert woken.conclusion == "success", woken.log
        return self.follow(started)

    def queue(self, ref: str) -> Run:
        """What a group of the merge queue sets off."""
        branch = ref.removeprefix("refs/heads/")
        started = self.github.start_run(event="merge_group", actor=self.sam, branch=branch)
        woken = self.play(started, self.events.merge_group(ref, self.sam))
        assert woken.conclusion == "success", woken.log
        return self.follow(started)

    def merge(self, pull: Pull, how: How = "squash") -> Run:
        """`assent-register.yml`: what a merge sets off."""
        self.github.tick()
        before = self.github.repository.tip("main")
        pull.merge(self.sam, how)
        return self.pushed(self.sam, before)

    def pushed(self, by: Account, before: str) -> Run:
        started = self.github.start_run(
            event="push",
            actor=by,
            path=".github/workflows/assent-register.yml",
            name="assent-register",
        )
        return self.play(started, self.events.push(by, before=before))

    def press(
        self, verb: str, inputs: Mapping[str, str], *, by: Account | None = None
    ) -> tuple[Started, dict[str, Any]]:
        """The button of a workflow; the run waits where its environment asks for somebody."""
        self.github.tick()
        path = f".github/workflows/assent-{verb}.yml"
        by = by or self.sam
        is_guarded = bool(self.github.repository.environment(inputs["stage"]).reviewers)
        started = self.github.start_run(
            event="workflow_dispatch",
            actor=by,
            path=path,
            name=f"assent-{verb}",
            environment=inputs["stage"] if is_guarded else None,
        )
        return started, self.events.workflow_dispatch(by, inputs, path=path)

    def play(self, started: Started, payload: Mapping[str, Any]) -> Run:
        """Run it in the harness; no step may end with a bug."""
        ended = self.site.play(started, payload)
        assert ended.errors == [], ended.errors
        assert ended.triggered, ended.reason
        assert "bug in Assent" not in ended.log, ended.log
        assert "Traceback" not in ended.log, ended.log
        return ended

    # --- what a person looks at ---

    def comments(self, pull: Pull) -> list[Comment]:
        """Our comments on a pull request."""
        return [one for one in pull.comments if one.author is self.github.actions_bot]

    def statuses(self, sha: str) -> list[tuple[str, str, str]]:
        """The verdicts among the statuses of a commit, oldest first: context, state, description.
        One that says that the comment is being changed is none.
        """
        found = [one for one in self.github.repository.statuses if one.sha == sha]
        shown = [(one.context, one.state, one.description or "") for one in found]
        return [one for one in shown if not one[2].startswith("changing")]

    def deployments(self) -> list[tuple[str, int, str]]:
        """What GitHub's page of deployments shows, oldest first: environment, version, state."""
        shown = []
        for one in self.github.repository.deployments:
            assert isinstance(one.payload, dict)
            shown.append((one.environment, one.payload["version"], one.statuses[-1].state))
        return shown

    def entries(self) -> list[dict[str, Any]]:
        """The entries of the ledger, oldest first."""
        folder = self.root / "reader"
        if not folder.exists():
            self.clone("reader")
        moments = self.run(folder, "timeline", "--all", "--json").json["moments"]
        return [moment["entry"] for moment in reversed(moments)]

    def log(self) -> list[str]:
        """The sentences of the ledger, oldest first, as Git itself has them."""
        if not self.git("for-each-ref", "refs/heads/assent/churn"):
            return []
        return self.git("log", "--reverse", "--format=%s", "refs/heads/assent/churn").splitlines()

    def git(self, *arguments: str) -> str:
        return self.github.repository.objects.run(*arguments)

    def git_in(self, folder: Path, *arguments: str) -> None:
        """Git in somebody's clone."""
        command = ["git", *arguments]
        subprocess.run(command, cwd=folder, check=True, env=self.environment, capture_output=True)

    def clone(self, name: str, *how: str) -> Path:
        """A clone of the repository on somebody's laptop."""
        folder = self.root / name
        address = self.server.git.as_uri()
        self.git_in(self.root, "clone", "--quiet", *how, address, str(folder))
        return folder

    def run(
        self, folder: Path, *words: str, code: int = 0, env: Mapping[str, str] | None = None
    ) -> Ran:
        """Run `assent` in a folder, outside of any workflow."""
        done = starting.run(words, cwd=folder, env={**self.environment, **(env or {})})
        ran = Ran(words, done.returncode, done.stdout.decode(), done.stderr.decode())
        check(ran, code)
        return ran

    def job(
        self,
        started: Started,
        payload: Mapping[str, Any],
        *words: str,
        folder: Path,
        code: int = 0,
        **env: str,
    ) -> Ran:
        """Run `assent` as a step of a job whose token has all the rights that there are."""
        given = {"GITHUB_TOKEN": self.github.workflow_token(), **env}
        variables = self.server.write_event(self.root, started, payload, **given)
        return self.run(folder, *words, code=code, env=variables)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the account that runs the tests, nor of the CI job that does."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONWARNINGS": "error",
        }


def outputs(run: Run, verb: str) -> dict[str, str]:
    """What a verb's action has told the later steps."""
    steps = [step for job in run.jobs for step in job.steps]
    [found] = [step for step in steps if f"/actions/{verb}@" in (step.uses or "")]
    return {name: value for name, value in found.outputs.items() if value}


def results(run: Run) -> dict[str, str]:
    """How each job ended."""
    return {job.id: job.result for job in run.jobs}
