"""`init`: write an `assent.yaml` that works, by looking at the repository, and what runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from assent.config.read import read_config
from assent.config.settings import FILE, Config
from assent.errors import UsageError
from assent.files import write_atomically
from assent.setup.config_text import config_text
from assent.setup.configs import configs_below
from assent.setup.detection import look
from assent.setup.installs import Install, install_for
from assent.setup.pipelines import Pipelines
from assent.setup.seen import ModelSeen, Sight
from assent.setup.tree import Tree

IGNORED = ".assent/"
MAX_SHOWN = 5


class InitResult(msgspec.Struct, frozen=True, kw_only=True):
    """The file written, what was found, and the keys that a person has to check. `is_kept`: there
    was one already, and it was left as it is. `workflows` are the files written for the forge;
    `is_pinned` is False if a person has to say in them where Assent is. `to_add` are the lines
    that a person has to add to the team's own pipeline; `seen` is what was seen in the
    pipelines that are there, `to_do` what a person has to look at in them. `forge` is the
    one whose files were asked for. `sight` is all that was seen, and `written` are the
    files of all projects; `is_ignoring`: `.gitignore` was changed; `is_dry`: nothing was written at
    all, and `workflows` are those that would be.
    """

    path: Path
    model: str
    found: dict[str, str]
    to_check: tuple[str, ...]
    is_kept: bool = False
    workflows: tuple[Path, ...] = ()
    is_pinned: bool = True
    to_add: str | None = None
    seen: tuple[str, ...] = ()
    to_do: tuple[str, ...] = ()
    forge: str | None = None
    sight: Sight | None = None
    written: tuple[Path, ...] = ()
    is_dry: bool = False
    is_ignoring: bool = False


def init(
    folder: Path,
    *,
    name: str | None = None,
    force: bool = False,
    dry_run: bool = False,
    pipelines: Pipelines | None = None,
) -> InitResult:
    """Write `assent.yaml` into `folder`, or into every project below it, and let Git ignore what
    Assent keeps there.

    With `dry_run` nothing is written, and what would be is said. With `pipelines` also what runs
    Assent in the CI of a forge; an `assent.yaml` that exists is kept then. Raises `UsageError` if
    what is to be written exists already, unless `force`.
    """
    if pipelines is None:
        return _configure(folder, _looked(folder, name), force=force, dry_run=dry_run)
    planned, sight = _planned(folder, name, pipelines.store(folder))
    configs = configs_below(folder, FILE, planned)
    needed = _installs(folder, configs, pipelines.forge)
    written = pipelines.write(folder, configs, needed, force=force, dry_run=dry_run)
    if dry_run:
        result = _configure(folder, sight or _looked(folder, name), force=force, dry_run=True)
    else:
        result = _kept(folder, configs) if sight is None else _configure(folder, sight, force=False)
    return msgspec.structs.replace(
        result,
        workflows=written.files,
        is_pinned=pipelines.is_pinned,
        to_add=written.to_add,
        seen=(*_taken(needed), *written.seen),
        to_do=tuple(dict.fromkeys((*_unsure(needed), *written.to_check))),
        forge=pipelines.forge,
    )


def _planned(folder: Path, name: str | None, store: str) -> tuple[dict[str, Config], Sight | None]:
    """The configurations that are to be written first, by path, and what they were made from; none
    where there are some already.
    """
    if (folder / FILE).exists():
        return {FILE: read_config((folder / FILE).read_bytes(), str(folder / FILE))}, None
    if configs_below(folder, FILE, {}):
        return {}, None
    sight = _looked(folder, name)
    stored = tuple(msgspec.structs.replace(project, store=store) for project in sight.projects)
    sight = msgspec.structs.replace(sight, projects=stored)
    texts = {
        (Path(project.folder) / FILE).as_posix(): config_text(project).encode()
        for project in sight.projects
    }
    return {path: read_config(text, path) for path, text in texts.items()}, sight


def _looked(folder: Path, name: str | None) -> Sight:
    sight = look(folder, name)
    models = [model for project in sight.projects for model in project.models]
    if name is not None and len(models) > 1:
        raise UsageError(
            f"naming the model {name}",
            f"there are {len(models)} of them: {', '.join(model.name for model in models[:10])}",
            hint="leave --name out, or run it in the folder of one model",
        )
    return sight


def _installs(folder: Path, configs: Mapping[str, Config], forge: str) -> dict[str, Install]:
    """What each model needs installed to be trained and evaluated, where something says it."""
    tree = Tree(folder)
    installs: dict[str, Install] = {}
    for path, config in configs.items():
        for name, model in config.models.items():
            given = [command for command in (model.train, model.evaluate) if command is not None]
            its = install_for(tree, path.rpartition("/")[0], given, forge) if given else None
            if its is not None:
                installs[name] = its
    return installs


def _taken(installs: Mapping[str, Install]) -> tuple[str, ...]:
    """What the jobs that train install, and who says so."""
    shown = [
        f"packages of {install.why}: {', '.join(filter(None, [*install.lines, install.conda]))}"
        for install in installs.values()
    ]
    shown = list(dict.fromkeys(shown))
    more = [f"packages of {len(shown) - MAX_SHOWN} more"] * (len(shown) > MAX_SHOWN)
    return (*shown[:MAX_SHOWN], *more)


def _unsure(installs: Mapping[str, Install]) -> tuple[str, ...]:
    to_check = [check for its in installs.values() for check in its.to_check]
    to_check += [f"not installed: {name}" for its in installs.values() for name in its.left_out]
    return tuple(dict.fromkeys(to_check))


def _kept(folder: Path, configs: Mapping[str, Config]) -> InitResult:
    models = ", ".join(model for config in configs.values() for model in config.models)
    path = folder / next(iter(configs))
    return InitResult(path=path, model=models, found={}, to_check=(), is_kept=True)


def _configure(folder: Path, sight: Sight, *, force: bool, dry_run: bool = False) -> InitResult:
    """Write the file of every project that has none yet, and say what was seen."""
    texts = {folder / project.folder / FILE: config_text(project) for project in sight.projects}
    for path, text in texts.items():
        read_config(text.encode(), str(path))  # what is written must be readable
    new = [path for path in texts if force or not path.exists()]
    if not new and not dry_run:
        path = next(iter(texts))
        raise UsageError(
            f"writing {path}", "it exists already", hint="edit it, or replace it with --force"
        )
    if not dry_run:
        for path in new:
            write_atomically(path, texts[path].encode())
    is_ignoring = not dry_run and _ignore(folder)
    models = [model for project in sight.projects for model in project.models]
    return InitResult(
        path=(new or list(texts))[0],
        model=", ".join(model.name for model in models),
        found=_found(models) if len(models) == 1 else {},
        to_check=tuple(dict.fromkeys(key for model in models for key in unseen(model))),
        sight=sight,
        written=() if dry_run else tuple(new),
        is_dry=dry_run,
        is_ignoring=is_ignoring,
    )


def _found(models: Sequence[ModelSeen]) -> dict[str, str]:
    """What was taken for the one model, by key."""
    seen = models[0]
    values = {
        "train": seen.train and seen.train.value,
        "evaluate": seen.evaluate and seen.evaluate.value,
        "model": seen.model and seen.model.value,
        "metrics": ", ".join(metric.value for metric in seen.metrics),
        "predictions": seen.predictions and seen.predictions.path,
        "data": ", ".join(data.value for data in seen.data.values()),
        "params": ", ".join(param.value for param in seen.params),
        "plots": ", ".join(plot.value for plot in seen.plots),
    }
    return {key: value for key, value in values.items() if value}


def unseen(seen: ModelSeen) -> list[str]:
    """The keys that a person has to fill in, because nothing in the repository says them."""
    missing = {
        "train": seen.train is None,
        "inputs": seen.is_unread or (seen.train is not None and not seen.inputs),
        "model": seen.model is None,
        "metrics": not seen.metrics,
    }
    return [key for key, is_missing in missing.items() if is_missing]


def _ignore(folder: Path) -> bool:
    """Let Git ignore what Assent keeps. Returns whether that had to be written."""
    path = folder / ".gitignore"
    text = path.read_bytes() if path.exists() else b""
    if IGNORED.encode() in text.split():
        return False
    newline = b"" if not text or text.endswith(b"\n") else b"\n"
    write_atomically(path, text + newline + IGNORED.encode() + b"\n")
    return True
