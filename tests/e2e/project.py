"""A project so small that training it takes milliseconds, and a way to run Assent in it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests import starting
from tests.effort import IS_SOAK
from tests.waiting import HANGS_AFTER_S, wait_until

CONFIG = """\
store: ../store
models:
  churn:
    train: sh train.sh
    evaluate: sh evaluate.sh
    inputs: [train.sh, data/train.csv]
    params: [params.yaml]
    model: model/
    metrics: [metrics.json]
    data:
      train: data/train.csv
      test: data/test.csv
    gates:
      - {metric: accuracy, min: 0.5, max_drop: 0.05}
    approvals: {count: 1, from: ["@reviewers"]}
    stages:
      shadow: {}
      staging: {}
      production: {after: staging, approvals: {count: 1, from: ["@release"]}}
people:
  ada: {email: ada@example.com, groups: [reviewers]}
  grace: {email: grace@example.com, groups: [reviewers]}
  rosa: {email: rosa@example.com, groups: [release]}
"""
FILES = {
    ".gitignore": ".assent/\nmodel/\nmetrics.json\nruns.log\n",
    "assent.yaml": CONFIG,
    "params.yaml": "accuracy: 0.8\n",
    "data/train.csv": "x,y\n1,0\n2,1\n",
    "data/test.csv": "x,y\n3,1\n",
    # What the "model" learns is its parameters and its data.
    "train.sh": "echo train >>runs.log; echo noise of the training\n"
    "mkdir -p model; cat params.yaml data/train.csv >model/weights.txt; echo 1 >model/format\n",
    "evaluate.sh": "echo evaluate >>runs.log; echo noise of the evaluation\n"
    "sed -n 's/^accuracy: \\(.*\\)/{\"accuracy\": \\1}/p' params.yaml >metrics.json\n",
}
ADA, GRACE, ROSA = "ada", "grace", "rosa"


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    words: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.stdout)

    def __str__(self) -> str:
        return f"$ assent {' '.join(self.words)}\n{self.stdout}{self.stderr}[{self.code}]"


@dataclass(frozen=True)
class Project:
    """A clone with a bare remote, and a store beside them: `work/`, `remote.git/`, `store/`.

    `cwd` is where commands run, `prefix` what they are run with.
    """

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    prefix: tuple[str, ...] = ()

    @property
    def remote(self) -> Path:
        return self.folder.parent / "remote.git"

    @property
    def store(self) -> Path:
        return self.folder.parent / "store"

    def command(self, *words: str) -> list[str]:
        """What `run` runs, or stands for."""
        return [*self.prefix, sys.executable, "-m", "assent", *words]

    def run(self, *words: str, code: int = 0, env: Mapping[str, str] | None = None) -> Ran:
        """Run `assent` with these words and insist on its exit code, and on no traceback."""
        done = starting.run(
            words,
            cwd=self.cwd or self.folder,
            env={**self.environment, **(env or {})},
            prefix=self.prefix,
        )
        ran = Ran(words, done.returncode, done.stdout.decode(), done.stderr.decode())
        check(ran, code)
        return ran

    def start(
        self, *words: str, program: tuple[str, ...] = ("-m", "assent"), **env: str
    ) -> subprocess.Popen[bytes]:
        """Start `assent` as the leader of a process group of its own, as a terminal does."""
        return subprocess.Popen(
            [sys.executable, *program, *words],
            cwd=self.cwd or self.folder,
            env={**self.environment, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the account that runs the tests, nor of the CI job that does."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder.parent),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONWARNINGS": "error",
            "OPENBLAS_NUM_THREADS": "1",  # threads that have nothing to do turn round and round
            **self.env,
        }

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert old in text, f"{old!r} is not in {path}"
        self.write(path, text.replace(old, new))

    def commit(self, message: str = "change", *, push: bool = False) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        if push:
            self.git("push", "--quiet", "origin", "HEAD")
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, *, start: str = "main", **params: str) -> None:
        """A new branch; with `accuracy="0.9"` it holds a commit that changes the parameters."""
        self.git("checkout", "--quiet", "-b", name, start)
        if params:
            self.write("params.yaml", "".join(f"{key}: {params[key]}\n" for key in params))
            self.commit(f"try {name}")

    def merge(self, branch: str, *how: str) -> None:
        """Merge into main and push."""
        self.git("checkout", "--quiet", "main")
        self.git("merge", "--quiet", "--no-edit", *(how or ("--no-ff",)), branch)
        if "--squash" in how:
            self.git("commit", "--quiet", "--message", f"{branch}, squashed")
        self.git("push", "--quiet", "origin", "main")

    def clone(self, name: str, *how: str) -> Project:
        """Another clone beside this one, with the same store, of the same person."""
        other = replace(self, folder=self.folder.parent / name, cwd=None)
        self.git("clone", "--quiet", *how, f"file://{self.remote}", str(other.folder))
        other.identify("Ada", "ada@example.com")
        return other

    def identify(self, name: str, email: str) -> None:
        self.git("config", "user.name", name)
        self.git("config", "user.email", email)

    def inside(self, path: str) -> Project:
        """The same project, with commands run in a folder of it."""
        return replace(self, cwd=self.folder / path)

    def runs(self) -> list[str]:
        """The commands of the team that have run, in order."""
        log = self.folder / "runs.log"
        return log.read_text().split() if log.exists() else []

    def release(self, branch: str, **params: str) -> str:
        """A branch with other parameters: reviewed, approved, merged, registered."""
        self.branch(branch, **params)
        self.run("review", code=11)
        self.run("approve", "--as", GRACE)
        self.merge(branch)
        bundle: str = self.run("register", "--json").json["bundle"]
        return bundle

    def register(self, *, approver: str = GRACE) -> str:
        """Train what is checked out, have it approved, register it; the bundle's digest."""
        self.run("review", code=11)
        self.run("approve", "--as", approver)
        bundle: str = self.run("register", "--json").json["bundle"]
        return bundle

    def ship(self, version: str) -> None:
        """Promote to staging, have it released, and promote to production."""
        self.run("promote", "staging", version)
        self.run("approve", "--bundle", version, "--as", ROSA)
        self.run("promote", "production", version)

    def entries(self) -> list[str]:
        """The sentences of the ledger, newest first, as Git itself has them."""
        heads = self.git("ls-remote", "--heads", str(self.remote), "assent/churn")
        if not heads:
            return []
        shown = self.git("-C", str(self.remote), "log", "--format=%s", "assent/churn")
        return shown.splitlines()

    def blob(self, digest: str) -> Path:
        return self.store / "blobs/sha256" / digest.removeprefix("sha256:")

    def comment(self) -> str:
        return (self.folder / ".assent/review/churn/comment.md").read_text()


def check(ran: Ran, code: int) -> None:
    """The exit code is the expected one; no traceback and no bug, whatever happened."""
    assert "Traceback" not in ran.stderr, str(ran)
    assert "Error ignored" not in ran.stderr, str(ran)
    assert "Exception ignored" not in ran.stderr, str(ran)
    assert "bug in Assent" not in ran.stderr, str(ran)
    assert ran.code == code, f"expected exit code {code}\n{ran}"


def ended(process: subprocess.Popen[bytes], *words: str, code: int) -> Ran:
    """Wait for what `Project.start` started."""
    stdout, stderr = process.communicate(timeout=HANGS_AFTER_S)
    ran = Ran(words, process.returncode, stdout.decode(), stderr.decode())
    check(ran, code)
    return ran


def interrupt(process: subprocess.Popen[bytes], sign: int = signal.SIGINT) -> None:
    """Ctrl-C: the signal goes to the whole process group."""
    os.killpg(process.pid, sign)


def wait_for(path: Path) -> None:
    """Wait until a file appears."""
    wait_until(path.exists, f"{path} is there")


def new_project(place: Path, files: Mapping[str, str] = FILES) -> Project:
    """A project that is committed and pushed; nothing is trained yet."""
    project = Project(place / "work")
    project.folder.mkdir(parents=True)
    project.git("init", "--quiet", "--bare", "--initial-branch=main", "../remote.git")
    project.git("init", "--quiet", "--initial-branch=main")
    project.identify("Ada", "ada@example.com")
    project.git("remote", "add", "origin", "../remote.git")
    for path, text in files.items():
        project.write(path, text)
    project.commit("Predict churn", push=True)
    return project


def copy_project(original: Project, place: Path) -> Project:
    """The same project elsewhere: everything in it is named relative to its folder."""
    shutil.copytree(original.folder.parent, place, symlinks=True)
    return replace(original, folder=place / "work")


STOPPED = str(Path(__file__).with_name("stopped.py"))
"""A program that runs `assent` and stops it at some point."""


def points(project: Project, words: tuple[str, ...], place: Path, most: int) -> list[int]:
    """Some of the things that `words` does to the world, the first and the last among them; in a
    soak all of them.
    """
    twin = replace(project, folder=place / "work", cwd=None)
    shutil.copytree(project.folder.parent, place, symlinks=True)
    counted = place / "count"
    process = twin.start("SIGINT", "0", *words, program=(STOPPED,), STOPPED_COUNT=str(counted))
    ended(process, *words, code=0)
    last = int(counted.read_text())
    if IS_SOAK:
        return list(range(1, last + 1))
    return sorted({1 + n * (last - 1) // (most - 1) for n in range(most)})


def released(project: Project) -> None:
    """The first version of a project, in production."""
    project.run("review", code=11)
    project.run("approve", "--as", GRACE)
    project.run("register")
    project.run("promote", "staging")
    project.run("approve", "--bundle", "v1", "--as", ROSA)
    project.run("promote", "production")
