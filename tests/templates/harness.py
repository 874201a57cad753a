"""Runs pipelines of GitLab in tests: gitlab-ci-local reads the configuration and runs the jobs.

Each job is run by itself, with its own variables, as a runner gets it; what it leaves goes to the
jobs that need it. That tool is not GitLab. What is known to differ is not relied on: inputs that
nobody knows (`tests/wrappers/test_templates.py` compares them), exit codes that are allowed to
fail, manual jobs, which hold up nothing there, and `workflow: rules`, which it reads and ignores.
Jobs that start a pipeline of another branch it does not run: `triggers` says what they are.

It is started once and then plays one job after the other (`runner/serve.mjs`), but for what is for
real: see `tests/starting/`.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import yaml

from tests import starting
from tests.waiting import HANGS_AFTER_S

RUNNER = Path(__file__).parent / "runner"
NODE = str(RUNNER / "node_modules/.bin/node")
PROGRAMS = Path(sys.executable).parent
STATE = ".gitlab-ci-local"
HOST = "https://gitlab.example.com/acme/churn.git"
"""What the checkout says that it came from; Git is told where that is."""
_END = re.compile(r"finished in [\d.]+ ?\w+(?: {2}(?:FAIL|WARN) (\d+) ?)?$")


@dataclass(frozen=True)
class Listed:
    """A job of a pipeline, as its rules have it. `when` is `on_success` or `manual`."""

    name: str
    stage: str
    when: str
    allow_failure: bool
    needs: tuple[str, ...]
    environment: str | None

    @classmethod
    def read(cls, row: str) -> Listed:
        """One row of the tool's table."""
        name, stage, when, allow_failure, environment, needs = row.split(";")
        return cls(
            name=name,
            stage=stage,
            when=when,
            allow_failure=allow_failure == "true",
            needs=tuple(one for one in needs.strip("[]").split(",") if one),
            environment=environment or None,
        )


@dataclass(frozen=True)
class Ended:
    """How a job ended. `artifacts` is the folder of what it left, perhaps not there."""

    name: str
    code: int
    lines: tuple[str, ...]
    artifacts: Path

    @property
    def log(self) -> str:
        return "\n".join(self.lines)


class HarnessError(AssertionError):
    """The configuration cannot be run at all."""


@dataclass
class Pipeline:
    """A checkout in which the jobs of one pipeline run, one after the other.

    `variables` are those of the pipeline and of the project: they win over those of the jobs, as
    on GitLab. What is not among them of the predefined ones is not set.
    """

    folder: Path
    variables: Mapping[str, str]
    remote: Path | str | None = None
    unset: tuple[str, ...] = ("CI_COMMIT_BRANCH", "CI_OPEN_MERGE_REQUESTS")
    path: Sequence[Path] = field(default=(PROGRAMS,))

    def jobs(self, *, is_checked: bool = True) -> dict[str, Listed]:
        """The jobs that the rules let in. `is_checked`: and the file fits GitLab's schema."""
        table = self._run("--list-csv-all", has_schema=is_checked).splitlines()
        start = table.index("name;stage;when;allowFailure;environment;needs")
        found = [Listed.read(row) for row in table[start + 1 :] if row]
        return {one.name: one for one in found if one.when != "never"}

    def files(self) -> str:
        """Which configuration is checked out: Git's listing of all files that can belong to it."""
        command = ["git", "ls-files", "--stage", "--", "*.yml", "*.yaml", ":!assent.yaml"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout

    def read_by_rules(self) -> tuple[tuple[str, str], ...] | None:
        """The variables that can make another pipeline of the same files: those whose names are in
        the configuration. None where it asks for more, namely which files there are or differ.
        """
        texts = [path.read_text() for path in self.folder.rglob("*.y*ml")]
        if any(re.search(r"\b(changes|exists)[\"']?\s*:", text) for text in texts):
            return None
        named = {one for text in texts for one in re.findall(r"\w+", text)}
        return tuple(sorted(pair for pair in self.variables.items() if pair[0] in named))

    def is_let_in(self) -> bool:
        """Whether `workflow: rules` let this pipeline be. The tool does not look at them, so they
        are made the rules of a job, which means the same.
        """
        whole = self.whole(is_checked=False)
        job = {"rules": whole["workflow"]["rules"], "script": ["true"]}
        return "only" in self.listing({"only": job})

    def listing(self, instead: Mapping[str, Any]) -> dict[str, Listed]:
        """The jobs that are in where the configuration is another one."""
        own = self.folder / ".gitlab-ci.yml"
        before = own.read_text()
        own.write_text(yaml.safe_dump(dict(instead)))
        try:
            return self.jobs(is_checked=False)
        finally:
            own.write_text(before)

    def triggers(self) -> dict[str, dict[str, Any]]:
        """The jobs that GitLab itself does, because they start another pipeline."""
        whole = self.whole(is_checked=False)
        return {
            name: job
            for name, job in whole.items()
            if isinstance(job, dict) and isinstance(job.get("trigger"), dict)
        }

    def whole(self, *, is_checked: bool = True) -> dict[str, Any]:
        """The configuration with what it includes. The tool says before it what it does not do.
        `is_checked`: and it fits GitLab's schema.
        """
        shown = self._run("--preview", has_schema=is_checked)
        whole: dict[str, Any] = yaml.safe_load(shown[shown.index("---\n") :])
        return whole

    def expanded(self, text: str) -> str:
        """What GitLab makes of variables in a text outside scripts."""
        return re.sub(r"\$\{?(\w+)\}?", lambda match: self.variables.get(match[1], match[0]), text)

    def run(self, name: str, **variables: str) -> Ended:
        """Run one job with `variables` of its own, which win over all others."""
        return self.run_all([name], **variables)[name]

    def run_all(self, names: Sequence[str], **variables: str) -> dict[str, Ended]:
        """Run jobs that do not need one another, all with the same variables."""
        words = [*names, "--no-artifacts-to-source"]
        output = self._run(*words, variables=variables, may_fail=True)
        return {name: self._ended(name, output) for name in names}

    def _ended(self, name: str, output: str) -> Ended:
        lines = tuple(
            line.removeprefix(name).lstrip()
            for line in output.splitlines()
            if line.startswith(f"{name} ")
        )
        ends = [found for line in lines if (found := _END.search(line))]
        if len(ends) != 1:
            raise HarnessError(output)
        said = tuple(line[2:] for line in lines if line.startswith("> "))
        place = self.folder / STATE / "artifacts" / name.replace(" ", "")
        return Ended(name, int(ends[0][1] or 0), said, self._artifacts(name, place))

    def _artifacts(self, name: str, place: Path) -> Path:
        folder = self.folder / STATE / "artifacts"
        if place.exists() or not folder.exists():
            return place
        plain = re.sub(r"[^A-Za-z0-9]", "", name)
        for one in folder.iterdir():
            if re.sub(r"[^A-Za-z0-9]", "", one.name) == plain:
                return one
        return place

    def _run(
        self,
        *arguments: str,
        variables: Mapping[str, str] | None = None,
        has_schema: bool = False,
        may_fail: bool = False,
    ) -> str:
        """What the tool prints. Looking whether the configuration fits GitLab's schema takes it
        as long as all else, and is asked for once.
        """
        merged = {**self.variables, **(variables or {})}
        command = [*arguments, "--no-color", "--force-shell-executor"]
        command += [] if has_schema else ["--no-json-schema-validation"]
        command += ["--shell-isolation", "--home", str(self.folder.parent / "home")]
        command += ["--ignore-predefined-vars", ",".join(sorted({*merged, *self.unset}))]
        for name in self.unset:
            command += [] if name in merged else ["--unset-variable", name]
        for name, value in merged.items():
            command += ["--variable", f"{name}={value}"]
        start = _start_tool if starting.is_real() else _order_tool
        done = start(command, self.folder, self._environment())
        if done.code != 0 and not may_fail:
            raise HarnessError(done.stdout + done.stderr)
        return done.stdout + done.stderr if may_fail else done.stdout

    def _environment(self) -> dict[str, str]:
        kept = {"TMPDIR": os.environ["TMPDIR"]} if "TMPDIR" in os.environ else {}
        kept["LANG"] = "C.UTF-8"
        # Not that of the account: a shell that Node starts takes the pipe for a connection, and
        # reads what is in `.bashrc`.
        kept["HOME"] = str(self.folder.parent / "home")
        kept["PATH"] = ":".join([*map(str, self.path), "/usr/local/bin", "/usr/bin", "/bin"])
        if self.remote is not None:
            kept |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"url.{self.remote}.insteadOf",
                "GIT_CONFIG_VALUE_0": HOST,
            }
        return kept


class Said(msgspec.Struct, frozen=True):
    """What the tool has said, and its exit code."""

    code: int
    stdout: str
    stderr: str


def _start_tool(words: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Said:
    """The tool as a process of its own."""
    done = subprocess.run(
        [NODE, str(RUNNER / "start.mjs"), *words],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=HANGS_AFTER_S,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def _order_tool(words: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Said:
    """The same in a process that is kept: to start one takes most of the time of a job."""
    order = {"words": words, "cwd": str(cwd), "env": env}
    with _server() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise HarnessError(f"the tool has ended without an answer to {words}")
        return msgspec.json.decode(answer, type=Said)


@contextmanager
def _server() -> Iterator[subprocess.Popen[str]]:
    """A process of the tool that has nothing to do. Whatever goes wrong ends it."""
    process = _IDLE.pop() if _IDLE else _new_server()
    try:
        yield process
    except BaseException:
        process.kill()
        process.communicate()
        raise
    _IDLE.append(process)


def _new_server() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [NODE, str(RUNNER / "serve.mjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
    )


_IDLE: list[subprocess.Popen[str]] = []


@atexit.register
def _end_servers() -> None:
    for process in _IDLE:
        process.communicate()


def checkout(folder: Path, remote: Path, sha: str) -> Path:
    """A checkout of one revision, as a runner makes it: no branch, and its remote by address."""
    git = ("git", "-C", str(folder))
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    subprocess.run([*git, "fetch", "--quiet", str(remote), sha], check=True)
    subprocess.run([*git, "checkout", "--quiet", "--detach", sha], check=True)
    subprocess.run([*git, "remote", "add", "origin", HOST], check=True)
    return folder
