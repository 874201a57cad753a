"""The workflows for GitHub: their text is package data, and `examples/github/` shows the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from assent.config.settings import FILE, Config
from assent.core.registries import PACKAGE, SCHEME, store_in
from assent.errors import UsageError
from assent.forges.github.description import REGISTRY
from assent.forges.github.opening import ADDRESS
from assent.git import Repository
from assent.setup.configs import base_branch
from assent.setup.github.existing import FOLDER, Seen, judge, read_existing, read_workflow
from assent.setup.github.installing import with_installs
from assent.setup.github.models import are_plain, for_models
from assent.setup.installs import Install
from assent.setup.pipelines import PipelineFiles, changed_files, new_files, write_files

SOURCE = Path(__file__).parent / "texts"
PLACEHOLDER = f"OWNER/assent/actions/{{}}@{'0' * 40}"
_ACTION = re.compile(r"OWNER/assent/actions/([a-z]+)@0{40}")
_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+@[0-9a-f]{40}")
_STAGES = "options: [staging, production] # those of assent.yaml"
_BRANCH = "branches: [main] # your default branch"
_OWN_MACHINE = re.compile(
    r"(?:^ +# A machine of your own .*\n)?^    runs-on: \[self-hosted, linux\].*$", re.MULTILINE
)
_NEEDS_STORE = re.compile(
    r"^    runs-on: \[self-hosted, linux\].*\n(?:    .*\n)*?    permissions:\n", re.MULTILINE
)
_PACKAGES = r"\g<0>      packages: {right} # the store\n"
_READING = "assent-reply.yml"
"""What writes nothing to the store."""
_IN_REGISTRY = f"{SCHEME}{REGISTRY}/"
_HOSTED = "    runs-on: ubuntu-24.04"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")


class GitHubWorkflows:
    """The workflows of a repository, which fetch Assent from `actions` (`owner/name@commit`)."""

    forge = "github"

    def __init__(self, actions: str | None = None) -> None:
        self._actions = actions

    @property
    def is_pinned(self) -> bool:
        """Whether the workflows say where Assent is."""
        return self._actions is not None

    def store(self, folder: Path) -> str:
        """See `Pipelines.store`: a server of one's own has its registry where it likes."""
        address = Repository(folder).config("remote.origin.url") or ""
        match = ADDRESS.fullmatch(address)
        if match is None or match["host"].lower() != "github.com":
            return ""
        return store_in(REGISTRY, f"{match['name']}/{PACKAGE}")

    def write(
        self,
        folder: Path,
        configs: Mapping[str, Config],
        installs: Mapping[str, Install],
        *,
        force: bool,
        dry_run: bool,
    ) -> PipelineFiles:
        """As `Pipelines.write`."""
        branch = default_branch(folder)
        rules = [rule for config in configs.values() for rule in config.policies.values()]
        wanted = workflows(
            origin=self._actions,
            stages=list(dict.fromkeys(stage for rule in rules for stage in rule.stages)),
            branch=branch,
            models={model: path for path, config in configs.items() for model in config.models},
            installs=installs,
            # A folder is one of some machine; whatever has an address can be reached from GitHub's.
            is_reachable=all("://" in config.store for config in configs.values()),
            is_in_registry=any(
                config.store.startswith(_IN_REGISTRY) for config in configs.values()
            ),
        )
        seen = existing(folder, wanted, configs, branch)
        files = (
            new_files(folder, [f"{FOLDER}/{name}" for name in wanted])
            if dry_run
            else write_workflows(folder, wanted, force=force)
        )
        return PipelineFiles(files=files, seen=seen.found, to_check=seen.to_check)


def texts() -> dict[str, str]:
    """The workflows as they are shipped, by file name."""
    return {path.name: path.read_text("utf-8") for path in sorted(SOURCE.glob("*.yml"))}


def workflows(
    *,
    origin: str | None,
    stages: Sequence[str],
    branch: str | None,
    models: Mapping[str, str] | None = None,
    installs: Mapping[str, Install] | None = None,
    is_reachable: bool = False,
    is_in_registry: bool = False,
) -> dict[str, str]:
    """The workflows for one repository, by file name. `is_reachable`: machines of GitHub reach the
    store, so that all jobs run there, and on none of the team's own. `is_in_registry`: it is in the
    registry of GitHub, so that the jobs that need it may write packages.

    `origin` is where the actions are, as `owner/name@commit`; without it a placeholder stays.
    `models` are the models with the path of the `assent.yaml` of each; without them there is one,
    at the top. `installs` is what each model needs installed, as far as it is known. Raises
    `UsageError` for an origin that is not pinned to a commit, and for a path that a workflow cannot
    name.
    """
    if origin is not None and _ORIGIN.fullmatch(origin) is None:
        raise UsageError(
            "writing the workflows",
            f"{origin!r} is not OWNER/NAME@COMMIT with all 40 digits of the commit",
            hint="a tag or a branch can be moved, and would then run other code with your token",
        )
    models = models or {"": FILE}
    odd = [path for path in models.values() if not are_plain([path])]
    if odd:
        raise UsageError(
            "writing the workflows",
            f"the path {odd[0]!r} has characters that an expression of GitHub cannot hold",
            hint="rename the folder: letters, digits, dots, dashes and slashes are fine",
        )
    shipped = texts()
    if is_in_registry:
        shipped = {name: _with_store(name, text) for name, text in shipped.items()}
    if is_reachable:
        shipped = {name: _OWN_MACHINE.sub(_HOSTED, text) for name, text in shipped.items()}
    return {
        name: with_installs(
            _fitted(for_models(name, text, models), origin, stages, branch), installs or {}
        )
        for name, text in shipped.items()
    }


def _with_store(name: str, text: str) -> str:
    """A workflow whose jobs may use the registry of GitHub, where they need the store."""
    right = "read" if name == _READING else "write"
    return _NEEDS_STORE.sub(_PACKAGES.format(right=right), text)


def existing(
    folder: Path, made: Mapping[str, str], configs: Mapping[str, Config], branch: str | None
) -> Seen:
    """What the workflows that are there already have to do with those that are `made`."""
    ours = [read_workflow(name, text) for name, text in made.items()]
    theirs, unread = read_existing(folder, ours=made)
    return judge(
        theirs,
        unread,
        ours=ours,
        branch=branch,
        models=[model for config in configs.values() for model in config.models],
    )


def _fitted(text: str, origin: str | None, stages: Sequence[str], branch: str | None) -> str:
    if origin is not None:
        repository, _, commit = origin.partition("@")
        text = _ACTION.sub(rf"{repository}/actions/\1@{commit}", text)
    if stages:
        text = text.replace(_STAGES, _STAGES.replace("staging, production", ", ".join(stages)))
    # A name that YAML would read as something else stays for a person to write.
    if branch is not None and _PLAIN.fullmatch(branch):
        text = text.replace(_BRANCH, _BRANCH.replace("[main]", f"[{branch}]"))
    return text


def default_branch(folder: Path) -> str | None:
    """The branch that changes are merged into, as far as this clone knows.

    Raises `UsageError` unless `folder` is the top folder of a Git repository: GitHub looks for
    workflows nowhere else.
    """
    repository = Repository(folder)
    if repository.top.resolve() != folder.resolve():
        raise UsageError(
            "writing the workflows",
            f"{folder} is not the top folder of its repository, where GitHub looks for them",
            hint=f"run it in {repository.top}: it finds every assent.yaml below",
        )
    return base_branch(repository)


def write_workflows(folder: Path, wanted: dict[str, str], *, force: bool) -> tuple[Path, ...]:
    """Write the workflows below `folder`, and return those that are new or changed.

    Raises `UsageError`, and writes nothing, if another text stands there, unless `force`.
    """
    texts = {f"{FOLDER}/{name}": text for name, text in wanted.items()}
    return write_files(changed_files(folder, texts, force=force))
