"""Looking at a whole repository: which folders are projects, and which models each has."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from assent.config.settings import MAX_NAME
from assent.errors import AssentError
from assent.git import Repository
from assent.setup.choosing import Chosen, candidates, choose
from assent.setup.file_kinds import is_test, trains, words
from assent.setup.kedro import package_of, read_kedro
from assent.setup.model import model_seen
from assent.setup.seen import ModelSeen, Project, Sight, Step, Trace
from assent.setup.stages import FILE as PIPELINE
from assent.setup.stages import (
    Pipelines,
    downstream,
    home_of,
    model_stages,
    names_in,
    read_pipelines,
    step_of,
    training_stages,
    upstream,
)
from assent.setup.steps import Reader
from assent.setup.tree import Tree

MAX_PROJECTS = 50
_MARKERS = frozenset(
    """
    pyproject.toml setup.py setup.cfg requirements.txt environment.yml conda.yaml Pipfile Makefile
    dvc.yaml MLproject params.yaml assent.yaml
    """.split()
)
_ASIDE = frozenset("tests test docs doc examples example".split())
_CODE = frozenset("src source lib code scripts notebooks notebook app python".split())
_KEEPS = re.compile(
    rb"\b(?:joblib|pickle|dill|skops\.io|sio)\.dump\(|torch\.save\(|\.save_pretrained\(|\.save_model\("
)
_SCRIPTS = (".py", ".sh", ".ipynb", ".R")


def look(root: Path, name: str | None = None) -> Sight:
    """What there is below `root`. `name` is what its only model is called; else the folder's."""
    tree = Tree(root)
    folders = _folders(tree)
    projects: list[Project] = []
    taken: set[str] = set()
    for folder in folders:
        own = tree if folder == "" else Tree(root / folder, tree, folder)
        called = name or _name(folder or root.resolve().name)
        models, notes = _models(own, called, _without(folder, folders))
        named = tuple(_unique(model, folder, taken) for model in models)
        projects.append(Project(folder=folder, models=named, notes=notes))
    return Sight(projects=tuple(projects), forge=_forge(root))


def _without(folder: str, folders: Sequence[str]) -> tuple[str, ...]:
    """The projects below a folder, as it sees them: what is in them is not its own."""
    start = f"{folder}/" if folder else ""
    return tuple(
        other.removeprefix(start)
        for other in folders
        if other != folder and other.startswith(start)
    )


def _unique(model: ModelSeen, folder: str, taken: set[str]) -> ModelSeen:
    """A model by a name that no other model of the repository has."""
    name, above = model.name, posixpath.dirname(folder)
    while name in taken and above:
        name = _name(f"{posixpath.basename(above)}-{name}")
        above = posixpath.dirname(above)
    number_of = 2
    unique = name
    while unique in taken:
        unique, number_of = f"{name}-{number_of}", number_of + 1
    taken.add(unique)
    return msgspec.structs.replace(model, name=unique)


def _folders(tree: Tree) -> list[str]:
    """The folders that are projects; the root if there is none. Where the root says itself how all
    is run, a script below is a part of that.
    """
    stated = _stated(tree)
    folders: dict[str, None] = {}
    if "" not in stated:
        for path in tree.files:
            folder, base = posixpath.split(path)
            is_script = path.endswith(_SCRIPTS) and not is_test(base)
            if is_script and not _is_aside(folder) and _trains(tree, path, base):
                folders[_inside(path, _project_of(tree, path), stated)] = None
    return sorted({**stated, **folders})[:MAX_PROJECTS] or [""]


def _inside(path: str, project: str, stated: Mapping[str, None]) -> str:
    """The project of a script: one that says how it is run, if that is nearer than `project`."""
    above = [
        folder for folder in stated if path.startswith(f"{folder}/") and len(folder) > len(project)
    ]
    return max(above, key=len, default=project)


def _trains(tree: Tree, path: str, base: str) -> bool:
    """Whether a script is one of training: its name says so, or it is run and keeps a model."""
    if trains(base):
        return True
    text = tree.read(path) or b""
    return path.endswith(".py") and b"__main__" in text and _KEEPS.search(text) is not None


def _stated(tree: Tree) -> dict[str, None]:
    """The folders that say how they are run: DVC's, MLflow's and Kedro's."""
    folders: dict[str, None] = {}
    for path in tree.files:
        folder, base = posixpath.split(path)
        if _is_aside(folder):
            continue
        if base == PIPELINE and b"cmd" in (tree.read(path) or b""):
            home = home_of(path, tree)
            folders[_project_of(tree, path) if home == folder else home] = None
        elif base == "MLproject" or _is_kedro(tree, path):
            folders[folder] = None
    return folders


def _is_kedro(tree: Tree, path: str) -> bool:
    is_named = posixpath.basename(path) == "pyproject.toml"
    return is_named and b"[tool.kedro]" in (tree.read(path) or b"")


def _is_aside(folder: str) -> bool:
    return not _ASIDE.isdisjoint(folder.split("/"))


def _project_of(tree: Tree, path: str) -> str:
    """The nearest folder above a file that looks like a project's; else the root."""
    folder = posixpath.dirname(path)
    while folder:
        is_code = posixpath.basename(folder) in _CODE or _is_package(tree, folder)
        if not is_code and any(tree.is_file(f"{folder}/{name}") for name in _MARKERS):
            return folder
        folder = posixpath.dirname(folder)
    return ""


def _is_package(tree: Tree, folder: str) -> bool:
    """Whether a folder is a package of Python that something above it installs."""
    above = posixpath.dirname(folder)
    says = ("pyproject.toml", "setup.py", "setup.cfg")
    return tree.is_file(f"{folder}/__init__.py") and any(
        tree.is_file(posixpath.join(above, name)) for name in says
    )


def _models(
    tree: Tree, name: str, without: Sequence[str]
) -> tuple[tuple[ModelSeen, ...], tuple[str, ...]]:
    reader = Reader(tree)
    kedro: Step | None = None
    pipelines = read_pipelines(tree)
    chosen = _of_pipelines(pipelines, reader) or _without_model(pipelines, reader)
    notes = list(pipelines.problems)
    if not chosen:
        kedro = read_kedro(reader) if package_of(tree) is not None else None
        steps = [kedro] if kedro is not None else [*reader.named(), *reader.plain()]
        steps = [step for step in steps if not _is_of_others(step, without)]
        chosen = {_key(choice): choice for choice in choose(steps, _Provided(tree, steps))}
        if not chosen and kedro is not None:
            chosen = {"": Chosen(train=(kedro,), model=None)}
        if not chosen:
            chosen = {"": Chosen(train=(), model=None, other_trains=candidates(steps))}
    if not chosen:
        chosen = {"": Chosen(train=(), model=None)}
    if reader.is_cut:
        notes.append("there is more Python here than is read: run it in the folder of the project")
    is_alone = len(chosen) == 1
    seen = []
    for key, its_choice in chosen.items():
        called = name if is_alone else _name(f"{name}-{_short(key, name)}")
        seen.append(model_seen(tree, called, its_choice))
    return tuple(seen), tuple(notes)


def _is_of_others(step: Step, without: Sequence[str]) -> bool:
    return any(path.startswith(f"{other}/") for path in step.scripts for other in without)


def _provided(tree: Tree, steps: Sequence[Step]) -> _Provided:
    return _Provided(tree, steps)


class _Provided:
    """Whether something is there before anything runs: Git has it, DVC can bring it, or it lies
    here and no step makes it.
    """

    def __init__(self, tree: Tree, steps: Sequence[Step]) -> None:
        self._tree = tree
        self._tracked = frozenset(tree.files)
        self._made = frozenset(trace.path for step in steps for trace in step.writes)

    def __call__(self, path: str) -> bool:
        if path in self._tracked or path in self._tree.folders or self._tree.brings(path):
            return True
        return self._tree.exists(path) and path not in self._made


def _of_pipelines(pipelines: Pipelines, reader: Reader) -> dict[str, Chosen]:
    """The models of DVC's pipelines; with several, each is reproduced by its last stage."""
    models = model_stages(pipelines)
    chosen: dict[str, Chosen] = {}
    for file, stage, path, why in models[:50]:
        after = downstream(stage, pipelines)
        last = after[-1] if after else stage
        beside = pipelines.files[file]
        if len(models) == 1:
            stages = [its for _, its in pipelines.stages]
            command = "dvc repro" if file == PIPELINE else f"dvc repro {file}"
        else:
            stages = [*upstream(last, pipelines), *(other for other in after if other is not last)]
            target = last.name if file == PIPELINE else f"{file}:{last.name}"
            command = f"dvc repro {target}"
        step = step_of(stage.name, command, f"{file}: stage {stage.name}", stages, [file], reader)
        more: list[Trace] = []
        if len(models) == 1:
            named = names_in(stages, reader)
            more += [
                Trace(path=metric, kind="metrics", why=file, names=named.get(metric, ()))
                for metric in beside.metrics
            ]
            more += [Trace(path=plot, kind="plots", why=file) for plot in beside.plots]
        step = msgspec.structs.replace(step, writes=(*step.writes, *more))
        trace = Trace(path=path, kind="model", why=f"{file}: {why}")
        chosen[stage.name] = Chosen(train=(step,), model=trace)
    return chosen


def _without_model(pipelines: Pipelines, reader: Reader) -> dict[str, Chosen]:
    """A pipeline of DVC that trains, while the model is an out of none of its stages."""
    training = training_stages(pipelines, reader)
    if not training:
        return {}
    file, stage, _ = training[0]
    stages = list(pipelines.files[file].stages)
    command = "dvc repro" if file == PIPELINE else f"dvc repro {file}"
    step = step_of(stage.name, command, f"{file}: stage {stage.name}", stages, [file], reader)
    note = f"no stage of {file} has the model among its outs: add it there, so that DVC keeps it"
    more = [
        Trace(path=metric, kind="metrics", why=file) for metric in pipelines.files[file].metrics
    ]
    step = msgspec.structs.replace(step, notes=(note,), writes=(*step.writes, *more))
    models = [
        msgspec.structs.replace(trace, why=f"{trace.why}; no out of the stage {its.name} yet")
        for its_file, its, written in training
        for trace in written
        if its_file == file
    ]
    return {stage.name: Chosen(train=(step,), model=None, other_models=tuple(models))}


def _key(chosen: Chosen) -> str:
    """What tells one model of a project from the others: its step, its script or its folder."""
    step = chosen.train[-1]
    path = step.scripts[0] if step.scripts else step.name
    folder = posixpath.dirname(path)
    if words(step.name) <= {"train", "training", "main", "model"} and folder:
        return posixpath.basename(folder)
    return step.name


def _short(key: str, name: str) -> str:
    """A key without the words that all have: `train@north` is north, `train_churn` is churn."""
    part = key.partition("@")[2] or key
    kept = [
        word for word in re.split(r"[^A-Za-z0-9]+", part) if word.lower() not in ("train", "model")
    ]
    return "-".join(word for word in kept if word and word.lower() != name) or part


def _name(text: str) -> str:
    name = re.sub(r"[^a-z0-9._-]+", "-", posixpath.basename(text).lower()).strip("-._")
    return re.sub(r"\.{2,}", ".", name)[:MAX_NAME] or "model"


def _forge(root: Path) -> str | None:
    """Where the remote says that merge or pull requests are."""
    try:
        remote = Repository(root).config("remote.origin.url") or ""
    except AssentError:
        return None
    host = re.split(r"[/:]", remote.partition("://")[2] or remote.partition("@")[2])[0]
    host = host.rpartition("@")[2].lower()
    if "github" in host:
        return "github"
    if "gitlab" in host or (root / ".gitlab-ci.yml").is_file():
        return "gitlab"
    return "github" if (root / ".github/workflows").is_dir() else None
