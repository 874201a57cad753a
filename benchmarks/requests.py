"""Requests to GitHub's API that each verb needs, counted against the stand-in of the tests.

GitHub lets the token of a job ask 1,000 times in an hour for each repository. The pull request has
been discussed at length: 150 comments, and 40 reviews by 8 people at 5 heads.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.e2e.github import CONFIG, FILES
from tests.github.pulls import Pull
from tests.github.runs import Run
from tests.github.server import Server

from benchmarks.context import Context
from benchmarks.figures import Figure
from benchmarks.project import environment

COMMENTS, REVIEWERS, HEADS = 150, 8, 5
HOURLY = 1_000
GOALS = {"review": 15}
UNTRUSTED = ".github/workflows/assent.yml"


class Scene:
    """A repository, its stand-in, and one pull request. `count` runs a verb as a step of a job
    and says how many requests it made.
    """

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.server = server
        self.github = server.github
        self.env = environment(folder)
        config = CONFIG.format(store=folder / "store", approvers='["*"]')
        self.sam = self.github.user("sam", role="write")
        self.ada = self.github.user("ada", role="write")
        self.rosa = self.github.user("rosa", role="write")
        self.people = [
            self.github.user(f"reviewer-{number}", role="write") for number in range(REVIEWERS)
        ]
        self.github.protect_environment("production", self.rosa)
        self.github.repository.push(self.sam, files={**FILES, "assent.yaml": config})
        self.pull = self._discussed()

    def _discussed(self) -> Pull:
        """Everybody has reviewed every head; the approvals are of older ones."""
        pull = self.github.open_pull(self.ada, files={"params.json": '{"accuracy": 0.8}\n'})
        for number in range(COMMENTS):
            pull.comment(self.people[number % REVIEWERS], f"comment {number}")
        for head in range(HEADS):
            if head:
                pull.push(files={"params.json": f'{{"accuracy": 0.8{head}}}\n'})
            for number, person in enumerate(self.people):
                self.github.tick()
                is_opinion = head == number % (HEADS - 1)
                pull.review(person, "APPROVED" if is_opinion else "COMMENTED")
        return pull

    def bundle(self) -> tuple[Run, Path]:
        """What the untrusted job hands over."""
        started = self.github.start_run(event="pull_request", actor=self.ada, pull=self.pull)
        work, made = self._checkout("untrusted", self.pull.head_sha), self.folder / "made"
        payload = self.server.events.pull_request(self.pull)
        for words in (["train"], ["evaluate"], ["bundle", "--output", str(made)]):
            assert self.count(started, payload, work, *words, token="") == 0
        started.complete()
        return started, made

    def follow(self, started: Run) -> tuple[Run, Mapping[str, Any], Path]:
        """The trusted job: its run, what woke it up, and its checkout."""
        self.github.tick()
        run = self.github.start_run(
            event="workflow_run", actor=self.ada, path=".github/workflows/assent-review.yml"
        )
        work = self._checkout(f"trusted-{run.id}", self.github.repository.tip("main"))
        return run, self.server.events.workflow_run(started), work

    def wake(self) -> Run:
        """The run that a fresh approval sets off."""
        self.github.tick()
        self.pull.review(self.people[-1], "APPROVED")
        started = self.github.start_run(
            event="pull_request_review", actor=self.people[-1], pull=self.pull
        )
        started.complete()
        return started

    def press(self, stage: str) -> tuple[Run, Mapping[str, Any], Path]:
        """The button of a stage, let through by rosa."""
        self.github.tick()
        path = ".github/workflows/assent-promote.yml"
        run = self.github.start_run(event="workflow_dispatch", actor=self.sam, path=path)
        if stage == "production":
            run.wait(stage)
            run.approve(stage, self.rosa)
        payload = self.server.events.workflow_dispatch(self.sam, {"stage": stage}, path=path)
        return run, payload, self._checkout(f"button-{run.id}", self.github.repository.tip("main"))

    def merge(self) -> tuple[Run, Mapping[str, Any], Path]:
        self.github.tick()
        before = self.github.repository.tip("main")
        self.pull.merge(self.sam, "squash")
        path = ".github/workflows/assent-register.yml"
        run = self.github.start_run(event="push", actor=self.sam, path=path)
        work = self._checkout(f"push-{run.id}", run.head_sha)
        return run, self.server.events.push(self.sam, before=before), work

    def count(
        self,
        run: Run,
        payload: Mapping[str, Any],
        work: Path,
        *words: str,
        token: str | None = None,
        codes: tuple[int, ...] = (0,),
    ) -> int:
        """How many requests a verb makes in a job of this run."""
        before = len(self.server.requests)
        token = self.github.workflow_token() if token is None else token
        more = self.server.write_event(self.folder, run, payload, GITHUB_TOKEN=token)
        done = subprocess.run(
            [sys.executable, "-m", "assent", *words],
            cwd=work,
            env={**self.env, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in codes, f"assent {' '.join(words)}: {done.stdout}{done.stderr}"
        return len(self.server.requests) - before

    def _checkout(self, name: str, commit: str) -> Path:
        work = self.folder / name
        address = self.server.git.as_uri()
        for words in (
            ["clone", "--quiet", "--no-checkout", address, str(work)],
            ["-C", str(work), "fetch", "--quiet", "origin", commit],
            ["-C", str(work), "checkout", "--quiet", "-B", "main", commit],
        ):
            subprocess.run(["git", *words], env=self.env, check=True, capture_output=True)
        return work


def counts(folder: Path) -> dict[str, int]:
    """How many requests each verb makes, in the order of the story."""
    requests: dict[str, int] = {}
    with Server(git=folder / "origin.git", web="http://127.0.0.1") as server:
        scene = Scene(folder, server)
        started, made = scene.bundle()
        job = scene.follow(started)
        requests["bundle --from"] = scene.count(*job, "bundle", "--from", str(made))
        bundle = (made / "churn/made/bundle").read_text().strip()
        words = ("review", "--bundle", bundle)
        requests["review"] = scene.count(*job, *words, codes=(11,))
        requests["review, unchanged"] = scene.count(*job, *words, codes=(11,))
        job = scene.follow(scene.wake())
        head = scene.pull.head_sha
        requests["approve"] = scene.count(*job, "approve", "--bundle", head)
        requests["review, after an approval"] = scene.count(*job, "review", "--bundle", head)
        job = scene.merge()
        requests["approve, after the merge"] = scene.count(*job, "approve")
        requests["register"] = scene.count(*job, "register")
        requests["promote staging"] = scene.count(*scene.press("staging"), "promote", "staging")
        job = scene.press("production")
        requests["promote production"] = scene.count(*job, "promote", "production", "v1")
        requests["resolve"] = scene.count(*job, "resolve", "production")
        requests["timeline"] = scene.count(*job, "timeline")
        requests["verify"] = scene.count(*job, "verify")
    return requests


def measure(context: Context) -> Iterator[Figure]:
    for verb, count in counts(context.folder).items():
        goal = GOALS.get(verb.partition(",")[0])
        yield Figure(
            "requests",
            f"assent {verb}",
            f"{count} of {HOURLY:,} in an hour",
            goal="" if goal is None else f"at most {goal}",
            met=None if goal is None else count <= goal,
            numbers={"requests": count},
        )
