"""The pipeline for GitLab: its text is package data, and a few lines include it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from assent.config.settings import Config
from assent.core.registries import PACKAGE, SCHEME, store_in
from assent.errors import UsageError
from assent.forges.gitlab.opening import ADDRESS, host_in
from assent.git import Repository
from assent.parsing import parse_yaml
from assent.setup.configs import base_branch
from assent.setup.gitlab.installing import installing_jobs
from assent.setup.gitlab.plan import Plan, decide
from assent.setup.gitlab.team import FILE, MOVED, Found, find_team, read_team
from assent.setup.installs import Install
from assent.setup.pipelines import PipelineFiles, changed_files, new_files, write_files

HOST, REGISTRY = "gitlab.com", "registry.gitlab.com"
SOURCE = Path(__file__).parent / "texts/pipeline.yml"
COPY = ".gitlab/assent.yml"
ALONE = ".gitlab/assent-alone.yml"
TEMPLATE = "gitlab-templates/pipeline.yml"
PLACEHOLDER = f"git+https://gitlab.example.com/OWNER/assent@{'0' * 40}"
_ORIGIN = re.compile(
    r"(?P<project>[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)+)"
    r"@(?P<commit>[0-9a-f]{40})"
)
_STAGES = ("build-stage", "test-stage", "deploy-stage")
_RECIPES = "# Caches, GPUs, long trainings, data: the recipes of Assent (docs/recipes) say how.\n"
_OWN = f"""\
# Assent's jobs. What they do, and why: docs/gitlab.md of Assent.
{_RECIPES}\
# Jobs of your own belong in {MOVED[0]}: `assent init --gitlab` says then what this file becomes,
# so that they are left out of the pipelines that Assent starts.
"""
_WORKFLOW = """\
# A branch with an open merge request has one pipeline, that of the merge request.
workflow:
  rules:
    - if: $CI_COMMIT_BRANCH =~ /^assent\\// # the ledger
      when: never
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
    - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS
      when: never
    - if: $CI_COMMIT_BRANCH || $CI_COMMIT_TAG
"""
_BESIDE = f"""\
# Assent's jobs, and your own, which are in {{moved}}. Yours are left out of the pipelines that
# Assent starts for itself; where you change what your own `workflow` lets in, run
# `assent init --gitlab` again. What Assent's jobs do, and why: docs/gitlab.md of Assent.
{_RECIPES}"""
_ALONE = """\
# What pipelines without {moved} need of it. Where that is included, what it says wins.
"""


class PipelineTexts(msgspec.Struct, frozen=True, kw_only=True):
    """Files to write, by path, and `lines`: of the `.gitlab-ci.yml` all where `moved` is the place
    of the team's own or there is none, else those to add to it. `found` is what was seen there,
    `to_check` what a person has to look at.
    """

    files: dict[str, str]
    lines: str
    jobs: str = ""
    """What is to be added to the team's file beside `include`, where it stays theirs."""
    moved: str | None = None
    is_moved: bool = False
    has_include: bool = False
    """Whether the team's file includes others already: a second `include` would replace that."""
    found: tuple[str, ...] = ()
    to_check: tuple[str, ...] = ()


class GitLabPipelines:
    """The pipeline of a project: included from `templates` (`group/project@commit`), or kept as a
    copy; its jobs install the requirement `install`.
    """

    forge = "gitlab"

    def __init__(self, *, templates: str | None = None, install: str | None = None) -> None:
        self._templates = templates
        self._install = install

    @property
    def is_pinned(self) -> bool:
        """Whether the pipeline says where Assent is."""
        return self._templates is not None or self._install is not None

    def store(self, folder: Path) -> str:
        """See `Pipelines.store`: a server of one's own has its registry where it likes."""
        host, name = _project(folder)
        return store_in(REGISTRY, f"{name}/{PACKAGE}") if host == HOST else ""

    def write(
        self,
        folder: Path,
        configs: Mapping[str, Config],
        installs: Mapping[str, Install],
        *,
        force: bool,
        dry_run: bool,
    ) -> PipelineFiles:
        """As `Pipelines.write`. A `.gitlab-ci.yml` that is there is never changed: what is to be
        added to it is said.
        """
        wanted = pipelines(
            configs,
            origin=self._templates,
            install=self._install,
            standing=look(folder),
            installs=installs,
        )
        files, to_add = (
            (new_files(folder, [*wanted.files, FILE]), None)
            if dry_run
            else write_pipelines(folder, wanted, force=force)
        )
        to_check = (*wanted.to_check, *_store_to_name(folder, configs))
        return PipelineFiles(files=files, seen=wanted.found, to_check=to_check, to_add=to_add)


def _project(folder: Path) -> tuple[str, str]:
    """Host and name of the project that a repository was cloned from; both empty if nobody says."""
    match = ADDRESS.fullmatch(Repository(folder).config("remote.origin.url") or "")
    return ("", "") if match is None else (host_in(match), match["name"])


def _store_to_name(folder: Path, configs: Mapping[str, Config]) -> tuple[str, ...]:
    """What is to be looked at where the store is a folder on the runners: only a server of one's
    own knows where its registry is.
    """
    host, name = _project(folder)
    if host == HOST or all(SCHEME in config.store for config in configs.values()):
        return ()
    address = store_in("registry.example.com", f"{name or 'group/project'}/{PACKAGE}")
    return (
        "`store` is a folder, which other machines do not have: with a container registry on your "
        f"GitLab it is `store: {address}`, with the host that CI_REGISTRY has in a job (the page "
        "Deploy, Container registry, shows it)",
    )


def pipelines(
    configs: Mapping[str, Config],
    *,
    origin: str | None,
    install: str | None,
    standing: ExistingPipeline,
    installs: Mapping[str, Install] | None = None,
) -> PipelineTexts:
    """The pipeline of every model of `configs`, which are by their path below the top folder.
    `installs` is what each of them needs installed to be trained, as far as it is known.

    With `origin` (`group/project@commit`) it is included from that project of the same GitLab,
    and Assent is installed from there; without it the repository keeps a copy. `standing` is the
    pipeline that is there. Raises `UsageError` for an origin that is not pinned to a commit.
    """
    where, made = _source(origin)
    files = {COPY: SOURCE.read_text("utf-8")} if origin is None else {}
    wanted = _Included(where, made if install is None else install, configs)
    jobs = installing_jobs(installs or {}, wanted.prefixes)
    team = standing.found
    if team is None:
        lines = f"{_OWN}include:\n{wanted.lines(None)}{jobs}{_WORKFLOW}"
        return PipelineTexts(files=files, lines=lines)
    plan = decide(team.team, standing.branch, is_moved=team.is_moved)
    added = PipelineTexts(
        files=files,
        lines=f"include:\n{wanted.lines(plan.stage)}",
        jobs=jobs,
        has_include=bool(team.team.included),
        found=plan.found,
        to_check=plan.to_check,
    )
    return added if plan.guard is None else _beside(added, plan, team, standing.taken)


def _source(origin: str | None) -> tuple[list[str], str]:
    """From where the pipeline is included, as lines, and what its jobs install."""
    if origin is None:
        return [f"local: {COPY}"], PLACEHOLDER
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        raise UsageError(
            "writing the pipeline",
            f"{origin!r} is not GROUP/PROJECT@COMMIT with all 40 digits of the commit",
            hint="a tag or a branch can be moved, and would then run other code with your token",
        )
    where = [f"project: {match['project']}", f"ref: {match['commit']}", f"file: {TEMPLATE}"]
    return where, f"git+$CI_SERVER_URL/{match['project']}@{match['commit']}"


def _beside(added: PipelineTexts, plan: Plan, team: Found, taken: Sequence[str]) -> PipelineTexts:
    """A whole file instead of lines to add: it includes the team's own under a condition."""
    moved = _place(team, taken)
    files = dict(added.files)
    entries = added.lines.removeprefix("include:\n")
    if plan.alone:
        files[ALONE] = _ALONE.format(moved=moved) + plan.alone
        entries = f"  - local: {ALONE}\n{entries}"
    entries += f"  - local: {moved}\n    rules:\n      - if: {plan.guard}\n"
    return msgspec.structs.replace(
        added,
        files=files,
        lines=f"{_BESIDE.format(moved=moved)}include:\n{entries}{added.jobs}",
        moved=moved,
        is_moved=team.is_moved,
    )


class _Included(msgspec.Struct, frozen=True):
    """What is included: from where, what its jobs install, and for which models."""

    where: list[str]
    install: str
    configs: Mapping[str, Config]

    @property
    def prefixes(self) -> dict[str, str]:
        """What the jobs of each model are called after."""
        models = [name for config in self.configs.values() for name in config.models]
        return {name: "assent" if len(models) == 1 else f"assent-{name}" for name in models}

    def lines(self, stage: str | None) -> str:
        """The entries of `include`, with all jobs in `stage` unless it is None."""
        models = [(path, name) for path, config in self.configs.items() for name in config.models]
        made: list[str] = []
        for path, name in models:
            made.append(f"  - {self.where[0]}")
            made += [f"    {line}" for line in self.where[1:]]
            made.append("    inputs:")
            inputs = _inputs(self.configs[path], name, self.install, path, is_one=len(models) == 1)
            inputs += [] if stage is None else [f"{key}: {json.dumps(stage)}" for key in _STAGES]
            made += [f"      {line}" for line in inputs]
        return "\n".join(made) + "\n"


def _inputs(config: Config, model: str, install: str, path: str, *, is_one: bool) -> list[str]:
    settings = config.models[model]
    folder = path.rpartition("/")[0]
    predictions = [] if settings.predictions is None else [settings.predictions.path]
    made = [settings.model, *settings.metrics, *predictions, *settings.plots]
    artifacts = dict.fromkeys([".assent/work/", *made])
    placed = [f"{folder}/{artifact}" if folder else artifact for artifact in artifacts]
    lines = [f"install: {json.dumps(install)}", f"artifacts: {_list(placed)}"]
    stages = list(config.policies[model].stages)
    lines += [f"stages: {_list(stages)}"] if stages else []
    lines += [f"config: {json.dumps(path)}"] if folder else []
    if not is_one:
        lines += [f"model: {json.dumps(model)}", f"job-prefix: {json.dumps(f'assent-{model}')}"]
        lines.append(f"environment-prefix: {json.dumps(f'{model}/')}")
    return lines


def _list(values: Sequence[str]) -> str:
    return json.dumps(values, ensure_ascii=False)


class ExistingPipeline(msgspec.Struct, frozen=True, kw_only=True):
    """What is there: the team's pipeline without Assent's part of it, the default branch, and those
    places that are taken to which the team's file could go.
    """

    found: Found | None = None
    branch: str | None = None
    taken: tuple[str, ...] = ()


def _place(team: Found, taken: Sequence[str]) -> str:
    """Where the team's file goes, if it is not there already."""
    if team.is_moved:
        return team.name
    free = [name for name in MOVED if name not in taken]
    if not free:
        raise UsageError(
            "writing the pipeline",
            f"{' and '.join(MOVED)} are both there already, and one is needed for {FILE}",
            hint="rename one of them, and what includes it",
        )
    return free[0]


def look(folder: Path) -> ExistingPipeline:
    """The pipeline that is there, and what else is to be known of the repository.

    Raises `UsageError` unless `folder` is the top folder of a Git repository.
    """
    repository = Repository(folder)
    if repository.top.resolve() != folder.resolve():
        raise UsageError(
            "writing the pipeline",
            f"{folder} is not the top folder of its repository, where GitLab looks for it",
            hint=f"run it in {repository.top}: it finds every assent.yaml below",
        )
    is_ours = (folder / FILE).exists() and (folder / FILE).read_bytes().startswith(_OWN.encode())
    return ExistingPipeline(
        found=find_team(folder, ours=(COPY, TEMPLATE, ALONE), is_ours=is_ours),
        branch=base_branch(repository),
        taken=tuple(name for name in MOVED if (folder / name).exists()),
    )


def write_pipelines(
    folder: Path, wanted: PipelineTexts, *, force: bool
) -> tuple[tuple[Path, ...], str | None]:
    """Write the pipeline below `folder`. Returns the files that are new or changed, and what to do
    by hand where there is a `.gitlab-ci.yml` already: it is never changed.

    Raises `UsageError`, and writes nothing, if another text stands where a file of Assent's
    belongs, unless `force`.
    """
    changed = changed_files(folder, wanted.files, force=force)
    own = folder / FILE
    to_add = _to_add(wanted) if own.exists() and not _is_there(folder, wanted) else None
    if not own.exists():
        changed[own] = wanted.lines
    return write_files(changed), to_add


def _is_there(folder: Path, wanted: PipelineTexts) -> bool:
    """Whether the file includes already what it should."""
    if (folder / FILE).read_bytes() == wanted.lines.encode():
        return True
    included = read_team(folder, FILE, ours=()).included
    entries = parse_yaml(wanted.lines.encode())["include"]
    return all(entry in included for entry in entries)


def _to_add(wanted: PipelineTexts) -> str:
    """What a person has to do, as lines that can be pasted."""
    if wanted.moved is None and wanted.has_include:
        entries = wanted.lines.removeprefix("include:\n")
        jobs = f"# and to the end of {FILE}\n{wanted.jobs}" if wanted.jobs else ""
        return f"# add to the list `include` of {FILE}\n{entries}{jobs}"
    if wanted.moved is None:
        return f"# add to {FILE}\n{wanted.lines}{wanted.jobs}"
    steps = [f"# {FILE} is then"]
    if not wanted.is_moved:
        steps.insert(0, f"git mv {FILE} {wanted.moved}   # then again: assent init --gitlab")
        steps[1] = f"# which writes this {FILE}"
    return "\n".join(steps) + f"\n{wanted.lines}"
