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
_HEAD = 2000


def configure(program: Program) -> bool:
    """Give a program the configuration that `@hydra.main` names. Returns whether Hydra would
    change into a folder named after the time before the script runs.
    """
    module = program.modules[0]
    decorator = _decorator(module)
    if decorator is None:
        return False
    folder, name = _place(program, module, decorator)
    tree = program.sources.tree
    groups = {
        key: value
        for key, value in program.named.items()
        if tree.is_folder(posixpath.join(folder, key))
    }
    composer = _Composer(tree, folder, groups)
    composer.add("", name, "")
    config, read = composer.config, composer.read
    for key, value in program.named.items():
        if key not in groups:
            _put(config, key, value)
    program.config = _resolved(config, config, 0)
    program.loaded |= read
    if folder != "." and tree.is_folder(folder) and not tree.is_source(folder):
        program.composed_from = folder
    version = argument(decorator, 99, "version_base")
    stays = isinstance(version, ast.Constant) and version.value != "1.1"
    chdir = _at(config, "hydra.job.chdir")
    _note_folder(program, config)
    moves = chdir is True or (chdir is None and not stays)
    return moves and _at(config, "hydra.run.dir") != "."


def _note_folder(program: Program, config: dict[str, Any]) -> None:
    """Note where Hydra puts what the script leaves, if that is a folder of each run's own."""
    folder = _at(config, "hydra.run.dir")
    asked = [
        *(str(config),),
        *(program.sources.tree.text(module.path) for module in program.modules),
    ]
    is_used = any("runtime.output_dir" in text or "get_original_cwd" in text for text in asked)
    if isinstance(folder, str) and "${now:" in folder and is_used:
        program.run_folder = folder.partition("${")[0].rstrip("/") or "outputs"


def _decorator(module: Module) -> ast.Call | None:
    for functions in module.functions.values():
        for function in functions:
            decorator = hydra_decorator(function, module)
            if decorator is not None:
                return decorator
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


class _Composer:
    """The composition of one configuration: which files its `defaults` lead to, and what they say
    together. `groups` are the choices of the command line (`model=net`).
    """

    def __init__(self, tree: Tree, root: str, groups: dict[str, str]) -> None:
        self._tree = tree
        self._root = root
        self._groups = groups
        self.config: dict[str, Any] = {}
        self.read: dict[str, None] = {}

    def add(self, group: str, name: str, package: str) -> None:
        """Put in a file of a group, after and before what its own `defaults` name."""
        path = _file(self._tree, posixpath.join(self._root, group), name)
        if path is None or path in self.read or len(self.read) >= _MAX_PARTS:
            return
        self.read[path] = None
        own = dict(self._tree.mapping(path))
        defaults = own.pop("defaults", [])
        items = (defaults if isinstance(defaults, list) else [])[:_MAX_PARTS]
        package = self._package(path, package)
        for item in items:
            if item == "_self_":
                _merge(self.config, _nested(package, own))
            else:
                self._follow(item, group, package)
        if "_self_" not in items:
            _merge(self.config, _nested(package, own))

    def _follow(self, item: Any, group: str, package: str) -> None:
        """One item of `defaults`: a name beside the file, or a choice of a group."""
        named, choice = next(iter(item.items())) if isinstance(item, dict) and item else ("", item)
        words = str(named).split()
        if "override" in words:
            return  # it says another choice of what is named elsewhere
        place, _, placed_in = (words[-1] if words else "").partition("@")
        is_from_root = place.startswith("/") or str(choice).startswith("/")
        place = place.strip("/") if is_from_root else posixpath.join(group, place).strip("/")
        within = "" if is_from_root or not package else package
        if named:
            choice = self._groups.get(place, choice)
        inner = placed_in or (str(words[-1]).strip("/").replace("/", ".") if words else "")
        where = ".".join(part for part in (within, inner) if part and part != "_here_")
        for name in choice if isinstance(choice, list) else [choice]:
            if isinstance(name, str):
                self.add(place, name.lstrip("/"), "" if placed_in == "_global_" else where)

    def _package(self, path: str, package: str) -> str:
        """Where the values of a file go: its first lines may say so."""
        match = re.match(r"(?:\s*#.*\n)*?\s*#\s*@package\s+(\S+)", self._tree.text(path)[:_HEAD])
        if match is None or match[1] == "_group_":
            return package
        return "" if match[1] == "_global_" else match[1]


def _file(tree: Tree, folder: str, name: str) -> str | None:
    path = posixpath.normpath(posixpath.join(folder, name))
    names = (path, f"{path}.yaml", f"{path}.yml")
    return next(
        (name for name in names if name.endswith((".yaml", ".yml")) and tree.is_file(name)), None
    )


def _nested(where: str, values: dict[str, Any]) -> dict[str, Any]:
    for part in reversed([part for part in where.split(".") if part]):
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
    value: Any = config
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _resolved(value: Any, config: dict[str, Any], depth: int) -> Any:
    """The configuration with its own `${references}` put in, as far as they are plain."""
    if depth > 20:
        return value
    if isinstance(value, dict):
        return {key: _resolved(its, config, depth + 1) for key, its in value.items()}
    if isinstance(value, str) and "${" in value:

        def put_in(match: re.Match[str]) -> str:
            known = _at(config, match[1])
            return str(known) if isinstance(known, str | int | float) else match[0]

        shown = _REFERENCE.sub(put_in, value)
        shown = shown.replace("${hydra:runtime.cwd}", ".").replace("${oc.env:PWD}", ".")
        return _REFERENCE.sub(put_in, shown)[:1000]
    return value
