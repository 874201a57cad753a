"""Kedro: the catalog says where every data set lies, the pipelines which of them nodes make."""

from __future__ import annotations

import ast
import posixpath
import re
from typing import Any

import msgspec

from assent.setup.file_kinds import kind_of, model_score
from assent.setup.seen import Kind, Step, Trace
from assent.setup.source import Sources
from assent.setup.steps import Reader
from assent.setup.tree import Tree
from assent.setup.values import UNKNOWN, Program, argument
from assent.setup.written_names import names_of

_CATALOG = re.compile(r"conf/base/(?:.*/)?catalog[^/]*\.ya?ml|conf/base/catalog/.*\.ya?ml")
_PARAMETERS = re.compile(r"conf/base/(?:.*/)?parameters[^/]*\.ya?ml|conf/base/parameters/.*\.ya?ml")


class Entry(msgspec.Struct, frozen=True):
    """One data set of the catalog."""

    name: str
    kind: str
    path: str
    is_versioned: bool


def package_of(tree: Tree) -> str | None:
    """The package of a Kedro project, or None if it is none."""
    tool = tree.mapping("pyproject.toml").get("tool")
    kedro = tool.get("kedro") if isinstance(tool, dict) else None
    name = kedro.get("package_name") if isinstance(kedro, dict) else None
    if isinstance(name, str):
        return name
    return "" if tree.is_file(".kedro.yml") else None


def read_kedro(reader: Reader) -> Step | None:
    """`kedro run` as a step, or None where this is no Kedro project."""
    tree = reader.tree
    if package_of(tree) is None:
        return None
    entries = catalog(tree)
    nodes = _nodes(reader)
    made = {name for _, outputs in nodes for name in outputs}
    read = {name for inputs, _ in nodes for name in inputs}
    writes, reads = [], []
    for entry in entries:
        is_made = entry.name in made or (not nodes and not entry.path.startswith("data/01"))
        if is_made:
            writes.append(_written(entry, reader))
        elif entry.name in read or not nodes:
            why = f"the catalog's {entry.name}, which no node makes"
            reads.append(Trace(path=entry.path, kind="data", why=why))
    parameters = [
        Trace(path=path, kind="params", why="Kedro's parameters")
        for path in tree.files
        if _PARAMETERS.fullmatch(path)
    ]
    scripts = [*tree.below("src", ".py"), *tree.below("conf/base"), "pyproject.toml"]
    return Step(
        name="kedro",
        command="kedro run",
        why="pyproject.toml: a project of Kedro",
        certainty="stated",
        scripts=tuple(path for path in scripts if tree.is_file(path)),
        reads=(*reads, *parameters),
        writes=tuple(writes),
    )


def catalog(tree: Tree) -> list[Entry]:
    """The data sets that lie in files of the tree."""
    entries = []
    for file in tree.files:
        if not _CATALOG.fullmatch(file):
            continue
        for name, given in tree.mapping(file).items():
            path = given.get("filepath") if isinstance(given, dict) else None
            if isinstance(path, str) and _is_here(path):
                kind = str(given.get("type", ""))
                versioned = bool(given.get("versioned", "tracking." in kind))
                entries.append(Entry(str(name), kind, posixpath.normpath(path), versioned))
    return entries


def _is_here(path: str) -> bool:
    return "://" not in path and "${" not in path and not path.startswith(("/", "..", "~"))


def _written(entry: Entry, reader: Reader) -> Trace:
    kind: Kind = kind_of(entry.path)
    if "matplotlib" in entry.kind or "plotly" in entry.kind:
        kind = "plots"
    elif "MetricsData" in entry.kind:
        kind = "metrics"
    elif "06_models" in entry.path or ("pickle" in entry.kind and model_score(entry.path) > 0):
        kind = "model" if model_score(entry.path) >= 0 else "other"
    path = entry.path
    if entry.is_versioned:
        path = f"{path}/*/{posixpath.basename(path)}" if kind != "model" else f"{path}/"
    names = _figures(entry.name, reader) if kind == "metrics" else ()
    why = f"the catalog's {entry.name} ({entry.kind})"
    return Trace(path=path, kind=kind, why=why, names=names)


def _nodes(reader: Reader) -> list[tuple[list[str], list[str]]]:
    """Inputs and outputs of every `node(…)` of the project."""
    nodes = []
    for program, call in _node_calls(reader):
        scope = program.modules[0].top
        inputs = program.value(argument(call, 1, "inputs"), scope)
        outputs = program.value(argument(call, 2, "outputs"), scope)
        nodes.append((_data_sets(inputs), _data_sets(outputs)))
    return nodes


def _node_calls(reader: Reader) -> list[tuple[Program, ast.Call]]:
    calls = []
    for path in reader.tree.below("src", ".py"):
        if "node" not in reader.tree.text(path):
            continue
        program = Program(Sources(reader.tree), path)
        for node in ast.walk(program.modules[0].tree):
            if isinstance(node, ast.Call):
                name = program.modules[0].dotted(node.func).rpartition(".")[2]
                if name in ("node", "Node"):
                    calls.append((program, node))
    return calls


def _data_sets(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _figures(name: str, reader: Reader) -> tuple[str, ...]:
    """The keys of what the node returns that makes the data set `name`."""
    for program, call in _node_calls(reader):
        module = program.modules[0]
        outputs = program.value(argument(call, 2, "outputs"), module.top)
        function = argument(call, 0, "func")
        if outputs is UNKNOWN or function is None or name not in _data_sets(outputs):
            continue
        wanted = module.dotted(function).rpartition(".")[2]
        for other in program.modules:
            for definition in other.functions.get(wanted, []):
                for node in ast.walk(definition):
                    if isinstance(node, ast.Return):
                        return names_of(program, node.value, other.scopes[definition])
    return ()
