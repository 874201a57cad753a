"""Python files as syntax trees with their names: what is bound where, imported, and called.

Nothing is imported or run. A file that is no Python, or too large, is empty.
"""

from __future__ import annotations

import ast
import json
import posixpath
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from assent.measure.params import MAX_SOURCE_BYTES
from assent.setup.tree import Tree

MAX_NODES = 60_000
MAX_SOURCES = 600
MAX_CLOSURE = 150
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(eq=False)
class Scope:
    """The names of a module or a function: what each is bound to, in order. `function` is None for
    a module; `owner` is the class of a method.
    """

    module: Module
    names: dict[str, list[ast.expr]] = field(default_factory=dict)
    function: Function | None = None
    owner: ast.ClassDef | None = None
    outer: Scope | None = None


@dataclass(eq=False)
class Module:
    """One file. `aliases` are imported names and what they stand for; `stars` are the files of
    which all names are taken; `attributes` what methods bind to `self`, by name; `scopes` are the
    scopes of the functions by node.
    """

    path: str
    tree: ast.Module
    aliases: dict[str, str] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    functions: dict[str, list[Function]] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    attributes: dict[str, list[tuple[ast.expr, Scope]]] = field(default_factory=dict)
    scopes: dict[Function, Scope] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the names of the file."""
        self.top = Scope(module=self)
        _bind(self, self.top, self.tree.body)

    @cached_property
    def size(self) -> int:
        """How many nodes there are in it."""
        return sum(1 for _ in ast.walk(self.tree))

    @cached_property
    def option_calls(self) -> list[ast.Call]:
        """The calls of `add_argument`, of any parser."""
        return [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "add_argument"
        ]

    @cached_property
    def flag_calls(self) -> list[ast.Call]:
        """The calls of absl's `DEFINE_string` and its like."""
        return [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
            and self.dotted(node.func).rpartition(".")[2].startswith("DEFINE_")
        ]

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node above each node."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def imports(self) -> tuple[str, ...]:
        """The names that it imports."""
        return tuple(_imports(self))

    def dotted(self, node: ast.expr) -> str:
        """The full name of what is called: `skops.io.dump` for `sio.dump`; a method of something
        that is not imported begins with a dot (`.to_csv`). Empty if it has none.
        """
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            if node.id in self.aliases:
                return ".".join([self.aliases[node.id], *reversed(parts)])
            return f".{parts[0]}" if parts else node.id
        return f".{parts[0]}" if parts else ""


class Sources:
    """The Python files of a tree, each parsed once; beyond `MAX_SOURCES` they are empty."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._modules: dict[str, Module] = {}
        self._imported: dict[str, list[str]] = {}

    def module(self, path: str) -> Module:
        """The file at `path`; a notebook is its code cells one after the other."""
        if path not in self._modules:
            is_read = len(self._modules) < MAX_SOURCES
            text = (self.tree.read(path) or b"") if is_read else b""
            source = notebook_code(text) if path.endswith(".ipynb") else text
            self._modules[path] = Module(path, _parsed(source))
        return self._modules[path]

    def imported(self, module: Module) -> list[str]:
        """The files of the tree that a file imports, each with the `__init__.py` above it."""
        if module.path not in self._imported:
            files = (path for name in module.imports for path in self.files_of(name, module.path))
            self._imported[module.path] = list(dict.fromkeys(files))
        return self._imported[module.path]

    def files_of(self, name: str, importer: str) -> list[str]:
        """The files that `import name` reads, looked for beside the file, at the root, in `src/`
        and in `lib/`. The last one is the module itself.
        """
        parts = name.lstrip(".").split(".") if name.strip(".") else []
        here = posixpath.dirname(importer)
        if name.startswith("."):
            for _ in range(len(name) - len(name.lstrip(".")) - 1):
                here = posixpath.dirname(here)
            places = [here]
        else:
            places = list(dict.fromkeys([here, "", "src", "lib", "code", "scripts"]))
        for place in places:
            files = self._below(place, parts)
            if files:
                return files
        return []

    def places_of(self, path: str) -> set[str]:
        """Where what a script imports is found: `own` beside it, `root`, or `src`."""
        module, own = self.module(path), posixpath.dirname(path)
        places = set()
        for name in module.imports:
            parts = name.split(".")
            if name.startswith("."):
                places.add("root")
            elif self._below(own, parts):
                places.add("own")
            elif own and self._below("", parts):
                places.add("root")
            elif self._below("src", parts):
                places.add("src")
        return places

    def _below(self, place: str, parts: list[str]) -> list[str]:
        files: list[str] = []
        for part in parts:
            there = posixpath.join(place, part)
            if self.tree.is_file(f"{there}.py"):
                return [*files, f"{there}.py"]
            if not self.tree.is_folder(there):
                return files if any(file.endswith(".py") for file in files) else []
            if self.tree.is_file(f"{there}/__init__.py"):
                files.append(f"{there}/__init__.py")
            place = there
        if not files and parts and self.tree.below(place, ".py"):
            return [f"{place}/"]  # a package without `__init__.py`
        return files

    def closure(self, path: str, most: int = MAX_CLOSURE) -> list[Module]:
        """A file and all that it imports, directly or not."""
        modules: dict[str, Module] = {}
        waiting = [path]
        while waiting and len(modules) < most:
            next_path = waiting.pop(0)
            if next_path in modules or next_path.endswith("/"):
                continue
            modules[next_path] = self.module(next_path)
            waiting += self.imported(modules[next_path])
        return list(modules.values())


def notebook_code(text: bytes) -> bytes:
    """The code of a notebook without the lines that are no Python."""
    try:
        cells = json.loads(text).get("cells", [])
        sources = [cell["source"] for cell in cells if cell.get("cell_type") == "code"]
        codes = ["".join(source) for source in sources]
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return b""
    parsed = [code for code in map(_plain_python, codes) if _is_python(code)]
    return "\n".join(parsed).encode()


def notebook_language(text: bytes) -> str:
    """The language of a notebook's kernel; `python` if it says nothing."""
    match = re.search(rb'"language":\s*"(\w+)"', text)
    return match[1].decode().lower() if match else "python"


def shell_lines(text: bytes) -> list[str]:
    """The lines of a notebook that a shell runs (`!python train.py`)."""
    return [line.decode(errors="replace") for line in re.findall(rb'"!\s*([^"\\]+)', text)]


def _plain_python(code: str) -> str:
    lines = code.splitlines()
    return "\n".join("" if line.lstrip().startswith(("%", "!", "?")) else line for line in lines)


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _parsed(source: bytes) -> ast.Module:
    empty = ast.Module(body=[], type_ignores=[])
    if len(source) > MAX_SOURCE_BYTES:
        return empty
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the file's own style
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return empty
    count = sum(1 for _ in ast.walk(tree))
    return tree if count <= MAX_NODES else empty


def _imports(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield base
            for alias in node.names:
                if alias.name == "*":
                    continue
                yield f"{base}{'' if base.endswith('.') or not base else '.'}{alias.name}"


def _bind(module: Module, scope: Scope, body: list[ast.stmt]) -> None:
    """Note what the statements of a scope bind, those of its functions in scopes of their own."""
    waiting: list[ast.AST] = list(reversed(body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            _function(module, scope, node)
        elif isinstance(node, ast.ClassDef):
            module.classes[node.name] = node
            _class(module, scope, node)
        else:
            _names(module, scope, node)
            waiting += reversed(list(ast.iter_child_nodes(node)))


def _function(
    module: Module, outer: Scope, node: Function, owner: ast.ClassDef | None = None
) -> None:
    inner = Scope(module=module, function=node, owner=owner, outer=outer)
    module.functions.setdefault(node.name, []).append(node)
    module.scopes[node] = inner
    _bind(module, inner, node.body)


def _class(module: Module, outer: Scope, node: ast.ClassDef) -> None:
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            _function(module, outer, child, owner=node)
        elif isinstance(child, ast.ClassDef):
            _bind(module, outer, [child])


def _names(module: Module, scope: Scope, node: ast.AST) -> None:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            _target(module, scope, target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        _target(module, scope, node.target, node.value)
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        _target(module, scope, node.optional_vars, node.context_expr)
    elif isinstance(node, ast.Import):
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            module.aliases[name] = alias.name if alias.asname else name
    elif isinstance(node, ast.ImportFrom):
        base = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                module.stars.append(base)
                continue
            joint = "" if base.endswith(".") or not base else "."
            module.aliases[alias.asname or alias.name] = f"{base}{joint}{alias.name}"


def _target(module: Module, scope: Scope, target: ast.expr, value: ast.expr) -> None:
    if isinstance(target, ast.Name):
        scope.names.setdefault(target.id, []).append(value)
    elif (
        isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id == "self"
    ):
        module.attributes.setdefault(target.attr, []).append((value, scope))
    elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        for element, its in zip(target.elts, value.elts, strict=False):
            _target(module, scope, element, its)
