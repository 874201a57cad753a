"""The real adapter, over HTTP, against the stand-in for GitLab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assent.core.change import Review
from assent.core.verdict import Decision
from assent.forges.gitlab.forge import GitLabForge
from assent.git import Repository
from assent.ports import Notice
from assent.report.markdown import marker
from tests.builders import clone, digest, run_git
from tests.forges.gitlab.graphql import GraphServer
from tests.gitlab.accounts import User
from tests.gitlab.merge_requests import MergeRequest
from tests.gitlab.pipelines import Job
from tests.gitlab.world import Tier

WEB = "https://gitlab.example.com"


class Scene:
    """A project on the stand-in, with alice who writes and bob who reviews; one merge request of
    alice is open. `forge()` is the adapter as a new run sees it.
    """

    def __init__(self, server: GraphServer, folder: Path) -> None:
        self.server = server
        self.gitlab = server.gitlab
        self.project = server.gitlab.project
        self.faults = server.faults
        self.alice = self.gitlab.user("alice", role="developer")
        self.bob = self.gitlab.user("bob", role="developer")
        self.request: MergeRequest = self.gitlab.open_merge_request(
            self.alice, title="Deeper trees"
        )
        self.gitlab.tick()
        self.token = self.gitlab.project_token()
        self.bot = self.gitlab.tokens[self.token].user
        self.waits: list[float] = []
        self.said: list[str] = []
        self._folder = folder
        self._checkouts = 0

    def checkout(self, sha: str | None = None, *, branch: str | None = None) -> Repository:
        self._checkouts += 1
        work = self._folder / f"work-{self._checkouts}"
        clone(self.server.git, work)
        if sha is not None:
            run_git(work, "fetch", "-q", "origin", sha)
            switch = ["-B", branch] if branch else ["--detach"]
            run_git(work, "checkout", "-q", *switch, sha)
        return Repository(work)

    def forge(self, **said: Any) -> GitLabForge:
        """A new run; by default one that is told of the merge request."""
        if "checkout" not in said:
            said = {"merge_request": self.request.iid, **said}
        values: dict[str, Any] = {
            "api": self.server.url,
            "token": self.token,
            "wait": self.waits.append,
            "today": lambda: self.gitlab.now.date().isoformat(),
            "say": self.said.append,
            **said,
        }
        values.setdefault("checkout", None)
        if values["checkout"] is None:
            values["checkout"] = self.checkout()
        return GitLabForge("acme/churn", **values)

    def job(self, job: Job, **said: Any) -> GitLabForge:
        """The adapter as a job sees it."""
        pipeline = job.pipeline
        values: dict[str, Any] = {
            "job_token": job.token.value,
            "run": f"{pipeline.id}/{job.name}",
            "merge_request": pipeline.merge_request and pipeline.merge_request.iid,
            **said,
        }
        return self.forge(**values)

    def show(self, bundle: str = "b", model: str = "churn", **said: Any) -> str:
        """Let a trusted run review a bundle, and time pass."""
        address = self.forge(**said).comment(notice(model, bundle))
        self.gitlab.tick()
        return address

    def approve(self, by: User) -> None:
        self.request.approve(by)
        self.gitlab.tick()

    def note(self, by: User, text: str) -> None:
        self.request.note(by, text)
        self.gitlab.tick()

    def heard(self, bundle: str = "b", model: str = "churn", **said: Any) -> list[Review]:
        return list(self.forge(**said).reviews(model, digest(bundle)))

    def latest(self, by: User, bundle: str = "b", **said: Any) -> Review:
        """The last opinion of somebody: the only one that is heard."""
        return [one for one in self.heard(bundle, **said) if one.person.id == str(by.id)][-1]


def notice(
    model: str = "churn",
    bundle: str = "b",
    text: str = "The review.",
    decision: Decision = Decision.PENDING,
) -> Notice:
    return Notice(
        model=model,
        bundle=digest(bundle),
        body=f"{marker(model)}\n\n{text} {digest(bundle)}\n",
        decision=decision,
        sentence="1 of 3 wait for somebody",
    )


def scene_of(folder: Path, tier: Tier, **world: Any) -> Iterator[Scene]:
    with GraphServer(web=WEB, tier=tier, **world) as server:
        yield Scene(server, folder)
        assert server.leaks == []


@pytest.fixture(params=["free", "premium"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """On both tiers: for what may differ between them."""
    yield from scene_of(tmp_path, request.param)


@pytest.fixture
def free(tmp_path: Path) -> Iterator[Scene]:
    yield from scene_of(tmp_path, "free")


@pytest.fixture
def premium(tmp_path: Path) -> Iterator[Scene]:
    yield from scene_of(tmp_path, "premium")
