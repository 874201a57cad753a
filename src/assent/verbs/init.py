"""`init`: write an `assent.yaml` that works, by looking at the repository, and what runs it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from assent.config.read import read_config
from assent.config.settings import Config
from assent.core.direction import direction
from assent.core.scalar import number
from assent.errors import UsageError
from assent.measure.metrics import read_metrics
from assent.setup.configs import configs_below
from assent.verbs.pipelines import look, pipelines, write_pipelines
from assent.verbs.work import write_atomically
from assent.verbs.workflows import default_branch, existing, workflows, write_workflows
from assent.verbs.workspace import FILE

IGNORED = ".assent/"
_MOST_IMPORTED = 50
_TRAIN = ("train.py", "src/train.py", "scripts/train.py", "train.sh")
_EVALUATE = ("evaluate.py", "eval.py", "src/evaluate.py", "scripts/evaluate.py", "evaluate.sh")
_MODELS = (
    *("model", "models", "model.pkl", "model.joblib", "model.onnx", "model.safetensors"),
    *("models/model.pkl", "models/model.joblib", "artifacts/model", "output"),
)
_METRICS = (
    *("metrics.json", "reports/metrics.json", "metrics.yaml", "metrics/metrics.json"),
    *("eval/metrics.json", "output/metrics.json", "results/metrics.json"),
)
_PARAMS = ("params.yaml", "params.yml", "config.yaml", "params.json", "params.toml")
_LOCKS = ("requirements.txt", "uv.lock", "poetry.lock", "environment.yml")


class InitResult(msgspec.Struct, frozen=True, kw_only=True):
    """The file written, what was found, and the keys that a person has to check. `is_kept`: there
    was one already, and it was left as it is. `workflows` are the files written for the forge;
    `is_pinned` is False if a person has to say in them where Assent is. `to_add` are the lines
    that a person has to add to the `.gitlab-ci.yml` that there is. `seen` is what was seen in the
    pipelines that are there, `to_do` what a person has to look at in them. `forge` is github or
    gitlab where files of it were asked for.
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


def init(
    folder: Path,
    *,
    name: str | None = None,
    force: bool = False,
    github: bool = False,
    actions: str | None = None,
    gitlab: bool = False,
    templates: str | None = None,
    install: str | None = None,
) -> InitResult:
    """Write `assent.yaml` into `folder` and let Git ignore what Assent keeps there.

    With `github` also the workflows, which fetch Assent from `actions` (`owner/name@commit`).
    With `gitlab` the pipeline, included from `templates` (`group/project@commit`) or kept as a
    copy, whose jobs install the requirement `install`. An `assent.yaml` that exists is kept then.
    Raises `UsageError` if what is to be written exists already, unless `force`.
    """
    path = folder / FILE
    if not github and not gitlab:
        return _configure(folder, name, force=force)
    text = path.read_bytes() if path.exists() else None
    written = None if text is not None else _found(folder, name)
    config = read_config(written[0].encode() if written else text or b"", str(path))
    to_add = None
    configs = configs_below(folder, FILE, config)
    if gitlab:
        wanted = pipelines(
            configs,
            origin=templates,
            install=install,
            standing=look(folder),
        )
        changed, to_add = write_pipelines(folder, wanted, force=force)
        seen, to_do = wanted.found, wanted.to_check
    else:
        changed, seen, to_do = _write_workflows(folder, configs, actions, force=force)
    forge = "gitlab" if gitlab else "github"
    is_pinned = any(one is not None for one in (actions, templates, install))
    result = (
        _configure(folder, name, force=False)
        if written
        else InitResult(
            path=path, model=", ".join(config.models), found={}, to_check=(), is_kept=True
        )
    )
    return msgspec.structs.replace(
        result,
        workflows=changed,
        is_pinned=is_pinned,
        to_add=to_add,
        seen=seen,
        to_do=to_do,
        forge=forge,
    )


def _write_workflows(
    folder: Path, configs: Mapping[str, Config], actions: str | None, *, force: bool
) -> tuple[tuple[Path, ...], tuple[str, ...], tuple[str, ...]]:
    """The files written, what was seen in those that are there, and what is to be looked at."""
    branch = default_branch(folder)
    rules = [rule for config in configs.values() for rule in config.policies.values()]
    stages = list(dict.fromkeys(one for rule in rules for one in rule.stages))
    models = {model: path for path, config in configs.items() for model in config.models}
    wanted = workflows(origin=actions, stages=stages, branch=branch, models=models)
    seen = existing(folder, wanted, configs, branch)
    return write_workflows(folder, wanted, force=force), seen.found, seen.to_check


def _configure(folder: Path, name: str | None, *, force: bool) -> InitResult:
    path = folder / FILE
    if path.exists() and not force:
        raise UsageError(
            f"writing {path}", "it exists already", hint="edit it, or replace it with --force"
        )
    text, model, found = _found(folder, name)
    read_config(text.encode(), FILE)  # what is written must be readable
    write_atomically(path, text.encode())
    _ignore(folder)
    keys = ("train", "evaluate", "model", "metrics")
    return InitResult(
        path=path,
        model=model,
        found={key: value for key, value in found.items() if value is not None},
        to_check=tuple(key for key in keys if found[key] is None),
    )


def _found(folder: Path, name: str | None) -> tuple[str, str, dict[str, str | None]]:
    """The text of a working `assent.yaml`, the model's name, and what was found."""
    found = {
        "train": _first(folder, _TRAIN),
        "evaluate": _first(folder, _EVALUATE),
        "model": _first(folder, _MODELS),
        "metrics": _first(folder, _METRICS),
        "params": _first(folder, _PARAMS),
        "lock": _first(folder, _LOCKS),
        "data": _first(folder, ("data",)),
    }
    model = name or _name(folder)
    return _text(folder, model, found), model, found


def _imported(folder: Path, script: str | None) -> list[str]:
    """The files beside a script that it imports, and those that they import: a change in one of
    them trains another model.
    """
    if script is None or not script.endswith(".py"):
        return []
    home = (folder / script).parent
    found: dict[str, None] = {}
    waiting = [folder / script]
    while waiting and len(found) < _MOST_IMPORTED:
        try:
            tree = ast.parse(waiting.pop().read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue  # whoever runs it is told
        for name in _modules(tree):
            for path in (home / f"{name}.py", home / name):
                shown = path.relative_to(folder).as_posix()
                if path.is_file() and shown not in found:
                    found[shown] = None
                    waiting.append(path)
                elif path.is_dir() and (path / "__init__.py").is_file():
                    found[f"{shown}/**"] = None
    found.pop(script, None)
    return sorted(found)


def _modules(tree: ast.Module) -> set[str]:
    """The first parts of what a file imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module.partition(".")[0])
    return names


def _first(folder: Path, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if (folder / name).exists()), None)


def _name(folder: Path) -> str:
    name = re.sub(r"[^a-z0-9._-]+", "-", folder.resolve().name.lower()).strip("-._")
    return name or "model"


def _text(folder: Path, model: str, found: dict[str, str | None]) -> str:
    train, evaluate = found["train"], found["evaluate"]
    metrics = found["metrics"] or "metrics.json"
    inputs = [
        name for name in (train or "train.py", *_imported(folder, train), found["lock"]) if name
    ]
    inputs += ["src/**"] if (folder / "src").is_dir() else []
    inputs += ["data/**"] if found["data"] else []
    lines = [
        "# What every key means: docs/configuration.md",
        "models:",
        f"  {model}:",
        f"    train: {_command(train or 'train.py')}{_check(train)}",
    ]
    if evaluate is not None or found["metrics"] is None:
        lines.append(f"    evaluate: {_command(evaluate or 'evaluate.py')}{_check(evaluate)}")
    lines += [
        "    inputs:                   # what training reads; unchanged inputs train nothing again",
        *(f"      - {name}" for name in inputs),
        f"    model: {found['model'] or 'model/'}{_check(found['model'])}",
        f"    metrics: [{metrics}]{_check(found['metrics'])}",
    ]
    if found["params"] is not None:
        lines.append(f"    params: [{found['params']}]")
    lines += ["    gates:", *_gates(folder, found["metrics"])]
    lines += [
        "    approvals: {count: 1}     # people who must approve; the author does not count",
        "    stages:",
        "      staging: {}",
        "      production: {after: staging}",
    ]
    return "\n".join(lines) + "\n"


def _gates(folder: Path, metrics: str | None) -> list[str]:
    """A gate on the first metrics whose direction is known, else one to fill in."""
    known = {} if metrics is None else read_metrics(folder, [metrics]).metrics
    gates = []
    for name, value in known.items():
        better = direction(name)
        if number(value) is None or better is None or not re.fullmatch(r"[\w.-]+", name):
            continue
        limit = "max_drop" if better == "higher" else "max_rise"
        gates.append(f"      - {{metric: {name}, {limit}: 1%}}")
    return gates[:3] or ["      - {metric: accuracy, max_drop: 0.01}   # TODO: your metric"]


def _command(script: str) -> str:
    return f"sh {script}" if script.endswith(".sh") else f"python {script}"


def _check(found: str | None) -> str:
    return "" if found is not None else "   # TODO: not found, please correct"


def _ignore(folder: Path) -> None:
    path = folder / ".gitignore"
    text = path.read_text("utf-8") if path.exists() else ""
    if IGNORED not in text.split():
        newline = "" if not text or text.endswith("\n") else "\n"
        write_atomically(path, f"{text}{newline}{IGNORED}\n".encode())
