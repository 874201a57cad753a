"""A small repository on the harness's GitHub, into which tests write workflows and actions."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

from tests.workflows.harness import Harness
from tests.workflows.results import Run

REPOSITORY = {"id": 7, "full_name": "acme/churn", "default_branch": "main", "owner": {"id": 70}}
WORKFLOW = ".github/workflows/test.yml"


class Place:
    """A bare repository `acme/churn`, a clone to write it from, and the harness around it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bare = root / "churn.git"
        self.clone = root / "clone"
        self.git("init", "-q", "--bare", "-b", "main", self.bare, at=root)
        self.git("clone", "-q", self.bare, self.clone, at=root)
        self.git("checkout", "-q", "-b", "main")
        self.github = Harness(root / "github", {"acme/churn": self.bare})

    def git(self, *arguments: str | Path, at: Path | None = None) -> str:
        who = {f"GIT_{role}_{part}": "x@y.z" for role in ("AUTHOR", "COMMITTER") for part in PARTS}
        env = {"PATH": os.environ["PATH"], "HOME": str(self.root), **who}
        command = ["git", *arguments]
        done = subprocess.run(
            command, cwd=at or self.clone, env=env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, files: dict[str, str], branch: str = "main") -> str:
        """Writes files, commits and pushes them; returns the SHA."""
        self.git("checkout", "-q", "-B", branch)
        for name, text in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", f"change {len(files)} files")
        self.git("push", "-q", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")

    def push(self, workflow: str, files: dict[str, str] | None = None, **more: Any) -> Run:
        """What a push to main with this workflow sets off."""
        sha = self.commit({**(files or {}), WORKFLOW: workflow})
        payload = {"ref": "refs/heads/main", "after": sha, "repository": REPOSITORY}
        return self.github.run(WORKFLOW, "push", payload, **more)

    def steps(self, steps: str, files: dict[str, str] | None = None, **more: Any) -> Run:
        """The same for a workflow of one job `one` with these steps."""
        return self.push(job(steps), files, **more)

    def open_change(self, workflow: str, *, head_repository: int = 7) -> dict[str, Any]:
        """A pull request 5 of branch `better` with the refs that GitHub keeps; its event."""
        base = self.commit({WORKFLOW: workflow, "model.txt": "one\n"})
        head = self.commit({"model.txt": "two\n"}, "better")
        self.git("checkout", "-q", "-B", "trial", base)
        self.git("merge", "-q", "--no-ff", "-m", "merge", head)
        merge = self.git("rev-parse", "HEAD")
        refs = [f"{head}:refs/pull/5/head", f"{merge}:refs/pull/5/merge"]
        self.git("push", "-q", "origin", *refs)
        change = {
            "number": 5,
            "head": {"ref": "better", "sha": head, "repo": {"id": head_repository}},
            "base": {"ref": "main", "sha": base, "repo": {"id": 7}},
        }
        sender = {"login": "mona", "id": 3}
        return {
            "action": "opened",
            "number": 5,
            "pull_request": change,
            "repository": REPOSITORY,
            "sender": sender,
        }


PARTS = ("NAME", "EMAIL")


def job(steps: str, head: str = "") -> str:
    body = "".join(f"      {line}\n" for line in dedent(steps).strip("\n").splitlines())
    above = "".join(f"    {line}\n" for line in dedent(head).strip("\n").splitlines())
    return f"on: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n{above}    steps:\n{body}"
