"""What Hydra would give a script: its composed configuration, and where it would run it."""

from __future__ import annotations

import ast
import posixpath
import re
from typing import Any

from assent.setup.source import Module
from assent.setup.tree import Tree
from assent.setup.values import Program, argument, hydra_decorator

STAY = "hydra.run.dir=."
"""With this a script of Hydra stays where it was started, whatever its version."""

_REFERENCE = re.compile(r"\$\{([\w.]+)\}")
_MAX_PARTS = 50


def configure(program: Program) -> bool:
    """Give a program the configuration that `@hydra.main` names. Returns whether Hydra would
    change into a folder named after the time before the script runs.
    """
    module = program.modules[0]
    decorator = _decorator(module)
    if decorator is None:
        return False
    folder, name = _place(program, module, decorator)
    config, read = _composed(program.sources.tree, folder, name)
    for key, value in program.named.items():
        _put(config, key, value)
    program.config = _resolved(config, config, 0)
    program.loaded |= dict.fromkeys(read)
    version = argument(decorator, 99, "version_base")
    stays = isinstance(version, ast.Constant) and version.value != "1.1"
    chdir = _at(config, "hydra.job.chdir")
    moves = chdir is True or (chdir is None and not stays)
    return moves and _at(config, "hydra.run.dir") != "."


def _decorator(module: Module) -> ast.Call | None:
    for functions in module.functions.values():
        for function in functions:
            found = hydra_decorator(function, module)
            if found is not None:
                return found
    return None


def _place(program: Program, module: Module, decorator: ast.Call) -> tuple[str, str]:
    """The folder of the configuration, relative to the root, and the name of its file."""
    scope = module.top
    given = program.value(argument(decorator, 0, "config_path"), scope)
    name = program.value(argument(decorator, 1, "config_name"), scope)
    here = posixpath.dirname(module.path)
    folder = posixpath.normpath(posixpath.join(here, given if isinstance(given, str) else "."))
    if folder.endswith((".yaml", ".yml")):  # Hydra 0.x named the file
        return posixpath.dirname(folder), posixpath.basename(folder)
    return folder, name if isinstance(name, str) else "config"


def _composed(tree: Tree, folder: str, name: str) -> tuple[dict[str, Any], list[str]]:
    """The configuration with its `defaults` put in, and the files it came from."""
    path = _file(tree, folder, name)
    if path is None:
        return {}, []
    own = dict(tree.mapping(path))
    config: dict[str, Any] = {}
    read = [path]
    defaults = own.pop("defaults", [])
    for item in (defaults if isinstance(defaults, list) else [])[:_MAX_PARTS]:
        group, choice = next(iter(item.items())) if isinstance(item, dict) and item else ("", item)
        if choice == "_self_" or not isinstance(choice, str):
            continue
        group = str(group).removeprefix("override ").removeprefix("optional ").lstrip("/")
        part = _file(tree, posixpath.join(folder, group), choice)
        if part is not None:
            read.append(part)
            where = group.replace("/", ".")
            values = {key: its for key, its in tree.mapping(part).items() if key != "defaults"}
            _merge(config, _nested(where, values))
    _merge(config, own)
    return config, read


def _file(tree: Tree, folder: str, name: str) -> str | None:
    path = posixpath.normpath(posixpath.join(folder, name))
    names = (path, f"{path}.yaml", f"{path}.yml")
    return next(
        (one for one in names if one.endswith((".yaml", ".yml")) and tree.is_file(one)), None
    )


def _nested(where: str, values: dict[str, Any]) -> dict[str, Any]:
    for part in reversed([one for one in where.split(".") if one]):
        values = {part: values}
    return values


def _merge(into: dict[str, Any], values: dict[str, Any]) -> None:
    for key, value in values.items():
        standing = into.get(key)
        if isinstance(standing, dict) and isinstance(value, dict):
            _merge(standing, value)
        else:
            into[key] = value


def _put(config: dict[str, Any], name: str, value: str) -> None:
    """An override of the command line: `model.path=x`."""
    *above, last = name.split(".")
    for part in above:
        below = config.setdefault(part, {})
        if not isinstance(below, dict):
            return
        config = below
    config[last] = value


def _at(config: dict[str, Any], name: str) -> Any:
    found: Any = config
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _resolved(value: Any, config: dict[str, Any], depth: int) -> Any:
    """The configuration with its own `${references}` put in, as far as they are plain."""
    if depth > 20:
        return value
    if isinstance(value, dict):
        return {key: _resolved(its, config, depth + 1) for key, its in value.items()}
    if isinstance(value, str) and "${" in value:

        def put_in(match: re.Match[str]) -> str:
            found = _at(config, match[1])
            return str(found) if isinstance(found, str | int | float) else match[0]

        shown = _REFERENCE.sub(put_in, value)
        shown = shown.replace("${hydra:runtime.cwd}", ".").replace("${oc.env:PWD}", ".")
        return _REFERENCE.sub(put_in, shown)[:1000]
    return value
