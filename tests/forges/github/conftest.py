"""The real adapter, over HTTP, against the stand-in for GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assent.core.change import Review
from assent.core.verdict import Decision
from assent.forges.github.forge import GitHubForge
from assent.git import Repository
from assent.ports import Notice
from assent.report.markdown import marker
from tests.builders import clone, digest, run_git
from tests.github.accounts import Account
from tests.github.pulls import Opinion, Pull
from tests.github.server import Server


class Scene:
    """A repository on the stand-in, with alice who writes and bob who reviews; one pull request
    of alice is open. `forge()` is the adapter as a new run sees it.
    """

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.github = server.github
        self.faults = server.faults
        self.alice = self.github.user("alice", role="write", email="alice@example.com")
        self.bob = self.github.user("bob", role="write", email="bob@example.com")
        self.pull: Pull = self.github.open_pull(self.alice, title="Deeper trees")
        self.token = self.github.workflow_token()
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

    def forge(self, **said: Any) -> GitHubForge:
        """A new run; by default one that the pull request woke up."""
        if "event" not in said and "checkout" not in said:
            said = {"event": "pull_request", "payload": self.payload(), **said}
        values: dict[str, Any] = {
            "api": self.server.url,
            "token": self.token,
            "wait": self.waits.append,
            "say": self.said.append,
            **said,
        }
        values.setdefault("checkout", None)
        if values["checkout"] is None:
            values["checkout"] = self.checkout()
        return GitHubForge("acme/churn", **values)

    def payload(self, pull: Pull | None = None) -> dict[str, object]:
        return {"pull_request": {"number": (pull or self.pull).number}}

    def show(self, bundle: str = "b", model: str = "churn", **said: Any) -> str:
        """Let a trusted run review a bundle, and time pass."""
        address = self.forge(**said).comment(notice(model, bundle))
        self.github.tick()
        return address

    def review(self, by: Account, state: Opinion = "APPROVED", **said: Any) -> None:
        self.pull.review(by, state, **said)
        self.github.tick()

    def heard(self, bundle: str = "b", model: str = "churn", **said: Any) -> list[Review]:
        return list(self.forge(**said).reviews(model, digest(bundle)))

    def latest(self, by: Account, bundle: str = "b", **said: Any) -> Review:
        """The last opinion of somebody: the only one that is heard."""
        return [one for one in self.heard(bundle, **said) if one.person.id == str(by.id)][-1]


def notice(model: str = "churn", bundle: str = "b", text: str = "The review.") -> Notice:
    return Notice(
        model=model,
        bundle=digest(bundle),
        body=f"{marker(model)}\n\n{text} {digest(bundle)}\n",
        decision=Decision.PENDING,
        sentence="1 of 3 wait for somebody",
    )


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with Server() as server:
        yield Scene(server, tmp_path)
        assert server.leaks == []
