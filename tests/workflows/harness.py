"""Runs GitHub workflows in tests: really, but not on GitHub.

GitHub's own parser reads the workflow and GitHub's own expression engine evaluates it
(`runner/`); the steps run in a real shell. What stands around the steps is ours: the machine,
the Git server, the storage of artifacts and the actions of others (`actions/`). What the harness
does not know is an error, never skipped.

Not as on GitHub: jobs run one at a time and runs one after the other, so `concurrency` and a job's
`timeout-minutes` are reported and hold nothing up; nothing is ever cancelled from outside; what a
step leaves running ends with the step. Every job has a fresh machine; with `keeps` the self-hosted
ones are one machine that stays as it is.
"""

from __future__ import annotations

import atexit
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from tests import starting
from tests.waiting import HANGS_AFTER_S
from tests.workflows.environments import make
from tests.workflows.gitserver import GitServer
from tests.workflows.results import Admission, Run

HERE = Path(__file__).parent
RUNNER = HERE / "runner"
STAND_INS = {
    f"actions/{path.parent.name}": path.parent for path in sorted(HERE.glob("actions/*/action.yml"))
}
"""The actions of others that run here, by what they do and not by their code."""
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LIMIT_S = HANGS_AFTER_S
"""No step may take longer, whatever its `timeout-minutes`."""

_IDLE: dict[Path, list[subprocess.Popen[str]]] = {}
"""Processes of the runner that wait for an order, by their Node."""

Admit = Callable[[Admission], str | None]


class HarnessError(Exception):
    """The harness does not know what the workflow asks for, or has a bug."""


def find_node() -> Path:
    """The Node that `script/setup` has brought; raises with what to do where there is none."""
    found = sorted(RUNNER.glob("node_modules/node-linux-*/bin/node"))
    if not found:
        raise HarnessError("tests/workflows/runner has no Node: run script/setup")
    return found[0]


def parse(*files: Path) -> dict[str, list[str]]:
    """What GitHub's own parser has against each workflow or action."""
    program: list[str | Path] = [find_node(), "--import", RUNNER / "json.mjs"]
    command = [*program, RUNNER / "parse.mjs", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


class Harness:
    """One GitHub: repositories, secrets and artifacts that stay from run to run.

    `repositories` are bare repositories by full name; the first is the one whose workflows run.
    `actions` says where actions of other repositories are, by `owner/name` or `owner/name@ref`.
    """

    def __init__(
        self,
        root: Path,
        repositories: Mapping[str, Path],
        *,
        api_url: str = "http://127.0.0.1:9",
        actions: Mapping[str, Path] | None = None,
        secrets: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        environments: Mapping[str, Mapping[str, Mapping[str, str]]] | None = None,
        default_permissions: str = "read",
        install: str | None = None,
        node: Path | None = None,
        keeps: bool = False,
    ) -> None:
        self.root = root
        self.keeps = keeps
        self.repositories = dict(repositories)
        self.api_url = api_url
        self.actions = {**STAND_INS, **(actions or {})}
        self.secrets = dict(secrets or {})
        self.variables = dict(variables or {})
        self.environments = {name: dict(one) for name, one in (environments or {}).items()}
        self.default_permissions = default_permissions
        self.install = install or starting.installed()
        self.node = node or find_node()
        self.git = GitServer(self.repositories)
        self._ids = itertools.count(1001)
        self._tokens = itertools.count(1)
        self._places = itertools.count(1)
        self.storage = root / "storage"
        self.storage.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        self.git.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def repository(self) -> str:
        return next(iter(self.repositories))

    def artifacts(self, run_id: str) -> dict[str, Path]:
        """The zip files that a run has uploaded, by name."""
        found = sorted((self.storage / "artifacts" / run_id).glob("*.zip"))
        return {path.stem: path for path in found}

    def run(
        self,
        workflow: str | Path,
        event: str,
        payload: Mapping[str, Any],
        *,
        github: Mapping[str, str] | None = None,
        admit: Admit | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Run:
        """Runs a workflow for an event, to its end.

        `workflow` is a path in the repository, read at the commit that GitHub would read it at,
        or a file on this machine. `github` replaces values of the `github` context. `admit` is
        asked before each job and returns the token that the job gets; None rejects the job as the
        reviewers of its environment do. `env` is put on top of the machine's environment.
        """
        context = {**self._context(workflow, event, payload), **(github or {})}
        order = {
            "workflow": {"name": _name(workflow), "content": self._read(workflow, context)},
            "event": {"name": event, "payload": payload},
            "github": context,
            "secrets": self.secrets,
            "vars": self.variables,
            "environments": self.environments,
            "default_permissions": self.default_permissions,
            "actions": {name: str(folder) for name, folder in self.actions.items()},
            "machine": self._machine(context, env or {}),
            "limit_s": LIMIT_S,
        }
        answer = self._converse(order, context, event, admit)
        found = {"id": context["run_id"], "event": event, "sha": context["sha"]}
        return msgspec.convert({**answer, **found}, Run)

    def _converse(
        self, order: dict[str, Any], context: dict[str, str], event: str, admit: Admit | None
    ) -> dict[str, Any]:
        """Answers the runner until it has a result."""
        with _runner(self.node) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            _say(process.stdin, order)
            for line in process.stdout:
                message = json.loads(line)
                if "broken" in message:
                    raise HarnessError(message["broken"])
                if "result" in message:
                    return dict(message["result"])
                more = {"run_id": context["run_id"], "event": event, "actor": context["actor"]}
                asked = msgspec.convert({**message["ask"], **more}, Admission)
                _say(process.stdin, {"token": self._admit(asked, context, admit)})
            raise HarnessError("the runner ended without a result")

    def _admit(self, asked: Admission, context: dict[str, str], admit: Admit | None) -> str | None:
        token = f"ghs_harness{next(self._tokens):08}" if admit is None else admit(asked)
        if token is not None:
            self.git.rights.grant(token, context["repository"], asked.permissions)
            table = json.dumps(self.git.rights.table())
            (self.storage / "tokens.json").write_text(table)
        return token

    def _machine(self, context: dict[str, str], env: Mapping[str, str]) -> dict[str, Any]:
        services = {
            # Only the stand-ins of `actions/` see these, as only real actions see the real ones.
            "ASSENT_HARNESS_STORAGE": str(self.storage),
            "ASSENT_HARNESS_PYTHON": sys.executable,
            "ASSENT_HARNESS_INSTALL": self.install,
        }
        image = {
            "PATH": f"{self._system_python().parent}:{SYSTEM_PATH}",
            "LANG": "C.UTF-8",
            "USER": "runner",
            "SHELL": "/bin/bash",
            "DEBIAN_FRONTEND": "noninteractive",
        }
        place = self.root / f"runs/{next(self._places)}"
        return {
            "root": str(place),
            "kept": str(self.root / "kept") if self.keeps else None,
            "env": {**image, **env},
            "services": services,
            "tool_cache": str(self.root / "toolcache"),
        }

    def _system_python(self) -> Path:
        """The machine's own Python. It has no packages, but makes environments that can."""
        return make(self.root / "system", self.install, has_pip=False)

    def _read(self, workflow: str | Path, context: dict[str, str]) -> str:
        if isinstance(workflow, Path):
            return workflow.read_text()
        return self._git("show", f"{context['workflow_sha']}:{workflow}")

    def _git(self, *arguments: str, repository: str | None = None) -> str:
        folder = self.repositories[repository or self.repository]
        command = ["git", "--git-dir", str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise HarnessError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def _context(
        self, workflow: str | Path, event: str, payload: Mapping[str, Any]
    ) -> dict[str, str]:
        """The `github` context of an event, as GitHub documents it per event."""
        known = payload.get("repository", {})
        repository = known.get("full_name", self.repository)
        owner = repository.partition("/")[0]
        default = known.get("default_branch", "main")
        ref, sha = self._ref(event, payload, default)
        sender = payload.get("sender", {})
        run_id = str(next(self._ids))
        change = payload.get("pull_request", {}) if event.startswith("pull_request") else {}
        short = ref.removeprefix("refs/heads/").removeprefix("refs/tags/").removeprefix("refs/")
        return {
            "repository": repository,
            "repository_id": str(known.get("id", 1)),
            "repository_owner": owner,
            "repository_owner_id": str(known.get("owner", {}).get("id", 1)),
            "server_url": self.git.url,
            "api_url": self.api_url,
            "graphql_url": f"{self.api_url.removesuffix('/v3')}/graphql",
            "ref": ref,
            "ref_name": short.removeprefix("pull/") if change else short,
            "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
            "ref_protected": "false",
            "sha": sha,
            "base_ref": change.get("base", {}).get("ref", ""),
            "head_ref": change.get("head", {}).get("ref", ""),
            "actor": sender.get("login", "octocat"),
            "actor_id": str(sender.get("id", 1)),
            "triggering_actor": sender.get("login", "octocat"),
            "run_id": run_id,
            "run_number": run_id[-3:].lstrip("0"),
            "run_attempt": "1",
            "retention_days": "90",
            "secret_source": "Actions",
            "workflow_ref": f"{repository}/{_name(workflow)}@{ref}",
            "workflow_sha": sha,
        }

    def _ref(self, event: str, payload: Mapping[str, Any], default: str) -> tuple[str, str]:
        """`GITHUB_REF` and `GITHUB_SHA` of an event."""
        if event in ("pull_request", "pull_request_review", "pull_request_review_comment"):
            ref = f"refs/pull/{payload['pull_request']['number']}/merge"
        elif event == "push":
            return payload["ref"], payload["after"]
        elif event == "merge_group":
            group = payload["merge_group"]
            return group["head_ref"], group["head_sha"]
        elif event == "workflow_dispatch":
            ref = payload.get("ref") or f"refs/heads/{default}"
        else:
            ref = f"refs/heads/{default}"
        return ref, self._git("rev-parse", "--verify", f"{ref}^{{commit}}").strip()


@contextmanager
def _runner(node: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of the runner that has nothing to do. Whatever goes wrong ends it."""
    idle = _IDLE.setdefault(node, [])
    process = idle.pop() if idle else _new_runner(node)
    try:
        yield process
    except BaseException:
        process.kill()
        process.communicate()
        raise
    idle.append(process)


def _new_runner(node: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [node, "--import", RUNNER / "json.mjs", RUNNER / "run.mjs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": SYSTEM_PATH},
    )


@atexit.register
def _end_runners() -> None:
    for process in itertools.chain.from_iterable(_IDLE.values()):
        process.communicate()


def _name(workflow: str | Path) -> str:
    return workflow if isinstance(workflow, str) else f".github/workflows/{workflow.name}"


def _say(stream: Any, message: object) -> None:
    stream.write(json.dumps(message) + "\n")
    stream.flush()
