"""What expressions of a script stand for, as far as that follows from constants.

Constants of the file and of the files it imports, defaults and arguments of a command line,
values of a configuration file, and paths joined from them. Everything else is unknown. A text of
which only a part is unknown holds `HOLE` there.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from assent.config.dvc import PARAMS
from assent.setup.commandlines import demanded
from assent.setup.shell import options
from assent.setup.source import Function, Module, Scope, Sources

HOLE = "*"
ROOT = "/\0root"
"""Stands before paths that a script builds from its own place (`__file__`)."""

MAX_STEPS = 200_000
MAX_DEPTH = 40
MAX_SITES = 8
MAX_TEXT = 1000


class Unknown:
    """What nobody knows before the script runs."""

    def __bool__(self) -> bool:
        """Never true."""
        return False


UNKNOWN: Final = Unknown()


class Handle(msgspec.Struct, frozen=True):
    """A file that the script has opened."""

    path: str
    mode: str


class Program:
    """A script with its arguments, and the values of its expressions. `folder` is where it runs;
    `config` is what Hydra would give it, from the files of the folder `composed_from`.
    """

    def __init__(
        self, sources: Sources, script: str, arguments: Sequence[str] = (), folder: str = ""
    ) -> None:
        self.sources = sources
        self.script = script
        self.folder = folder
        self.arguments = tuple(arguments)
        self.named, self.rest = options(arguments)
        self.modules = sources.closure(script)
        self.config: dict[str, Any] | None = None
        self.loaded: dict[str, None] = {}
        self.composed_from: str | None = None
        self.run_folder: str | None = None
        self.calls: dict[str, list[tuple[ast.Call, Scope]]] = {}
        self._steps = 0
        self._busy: set[tuple[int, int]] = set()
        self._site: dict[Function, int] = {}
        self._declared: dict[str, tuple[Any, Module]] = {}
        for module in self.modules:
            for name, value in _declared(module, self.named, self.rest).items():
                self._declared[name] = (value, module)

    def path(self, value: Any) -> str | None:
        """A value as a path relative to the root; None if it is none or leads elsewhere."""
        if isinstance(value, Handle):
            value = value.path
        if not isinstance(value, str) or not value or re.search(r"\n|://|[{}]", value):
            return None
        if value.startswith(f"{ROOT}/"):
            path = posixpath.normpath(value.removeprefix(f"{ROOT}/"))
        elif value.startswith(("/", "~", "\0")) or value.strip() != value:
            return None
        else:
            path = posixpath.normpath(posixpath.join(self.folder, value))
        if path.startswith("..") or path in (".", "") or "\0" in path or len(path) > MAX_TEXT:
            return None
        return path

    def value(self, node: ast.expr | None, scope: Scope, depth: int = 0) -> Any:
        """What an expression stands for, or `UNKNOWN`."""
        self._steps += 1
        key = (id(node), id(scope))
        if node is None or depth > MAX_DEPTH or self._steps > MAX_STEPS or key in self._busy:
            return UNKNOWN
        self._busy.add(key)
        try:
            read = _READERS.get(type(node))
            value = UNKNOWN if read is None else read(self, node, scope, depth + 1)
        finally:
            self._busy.discard(key)
        if isinstance(value, str) and len(value) > MAX_TEXT:
            return UNKNOWN
        return value

    def look_up(self, name: str, scope: Scope, depth: int) -> Any:
        """What a name stands for where it is used."""
        here: Scope | None = scope
        while here is not None:
            for bound in here.names.get(name, []):
                value = self.value(bound, here, depth)
                if value is not UNKNOWN:
                    return value
            if here.function is not None and name in _parameters(here.function):
                return self._parameter(name, here, depth)
            here = here.outer
        return self._global(name, scope.module, depth)

    def _global(self, name: str, module: Module, depth: int) -> Any:
        if name == "__file__":
            return f"{ROOT}/{module.path}"
        if name in module.aliases:
            return self._imported(module.aliases[name], module, depth)
        for base in module.stars:
            joint = "" if base.endswith(".") else "."
            imported = self._imported(f"{base}{joint}{name}", module, depth)
            if imported is not UNKNOWN:
                return imported
        return UNKNOWN

    def _imported(self, dotted: str, module: Module, depth: int) -> Any:
        """A name of another file: `config.MODEL_PATH`."""
        base, _, name = dotted.rpartition(".")
        if dotted.startswith(".") and not base.strip("."):
            base = "." * (len(dotted) - len(dotted.lstrip(".")))
        files = self.sources.files_of(base, module.path) if base else []
        if not files or files[-1].endswith("/"):
            return UNKNOWN
        other = self.sources.module(files[-1])
        return self.look_up(name, other.top, depth) if other is not module else UNKNOWN

    def _parameter(self, name: str, scope: Scope, depth: int) -> Any:
        """A parameter of a function: what the command line, its callers or its default give."""
        function = scope.function
        assert function is not None
        given = self._from_command(name, function, scope, depth)
        if given is not UNKNOWN:
            return given
        names = _parameters(function)
        if names[0] == name and self.config is not None and _is_hydra(function, scope.module):
            return self.config
        place = names.index(name) - (1 if scope.owner is not None else 0)
        sites = self.sites(scope)
        if function in self._site:
            sites = sites[self._site[function] :][:1]
        for call, caller in sites:
            value = self.value(_argument(call, place, name), caller, depth)
            if value is not UNKNOWN:
                return value
        return self.value(_default(function, name), scope.outer or scope, depth)

    def sites(self, scope: Scope) -> list[tuple[ast.Call, Scope]]:
        """The calls of the function of a scope; a class calls its `__init__`, and so does a class
        below it.
        """
        function, owner = scope.function, scope.owner
        if function is None:
            return []
        if owner is None or function.name != "__init__":
            return self.calls.get(function.name, [])[:MAX_SITES]
        below = [
            (call, caller)
            for call, caller in self.calls.get("__init__", [])
            if caller.owner is not None
            and owner.name in (ast.unparse(base).rpartition(".")[2] for base in caller.owner.bases)
        ]
        return [*self.calls.get(owner.name, []), *below][:MAX_SITES]

    def values(self, node: ast.expr | None, scope: Scope) -> list[Any]:
        """What an expression of a function stands for in each call of it; unknown ones left out."""
        values: list[Any] = []
        function = scope.function
        for site in range(max(1, len(self.sites(scope)))):
            if function is not None:
                self._site[function] = site
            value = self.value(node, scope)
            if value is not UNKNOWN and value not in values:
                values.append(value)
        if function is not None:
            self._site.pop(function, None)
        return values

    def _from_command(self, name: str, function: Function, scope: Scope, depth: int) -> Any:
        """A parameter that click, typer or fire fill from the command line."""
        positional = 0
        for decorator in reversed(function.decorator_list):
            if not isinstance(decorator, ast.Call):
                continue
            called = scope.module.dotted(decorator.func)
            words = [self.value(arg, scope.module.top, depth) for arg in decorator.args]
            names = [word.lstrip("-").replace("-", "_") for word in words if isinstance(word, str)]
            if called == "click.argument" and names:
                continue
            if called == "click.option" and name in names:
                if name in self.named:
                    return self.named[name]
                return self.value(_argument(decorator, 99, "default"), scope.module.top, depth)
        arguments = [
            decorator.args[0].value
            for decorator in function.decorator_list
            if isinstance(decorator, ast.Call)
            and scope.module.dotted(decorator.func) == "click.argument"
            and decorator.args
            and isinstance(decorator.args[0], ast.Constant)
        ]
        if name in arguments:
            positional = arguments.index(name)
            return self.rest[positional] if positional < len(self.rest) else UNKNOWN
        if function.decorator_list and name in self.named:
            return self.named[name]
        return UNKNOWN

    def returned(self, call: ast.Call, scope: Scope, depth: int) -> Any:
        """What a call of a function or class of the team's own gives."""
        name = scope.module.dotted(call.func).rpartition(".")[2]
        for module in self.modules:
            if name in module.classes:
                return self._instance(call, module.classes[name], module, scope, depth)
            for function in module.functions.get(name, [])[:2]:
                inner = module.scopes[function]
                for node in ast.walk(function):
                    if isinstance(node, ast.Return):
                        value = self.value(node.value, inner, depth)
                        if value is not UNKNOWN:
                            return value
        return UNKNOWN

    def _instance(
        self, call: ast.Call, of: ast.ClassDef, module: Module, scope: Scope, depth: int
    ) -> Any:
        """The constants of a class, with what the call says otherwise."""
        fields: dict[str, Any] = {}
        for node in of.body:
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            target = node.target if isinstance(node, ast.AnnAssign) else target
            if isinstance(target, ast.Name):
                value = self.value(getattr(node, "value", None), module.top, depth)
                fields[target.id] = self.named.get(target.id, value)
        for keyword in call.keywords:
            if keyword.arg is not None:
                fields[keyword.arg] = self.value(keyword.value, scope, depth)
        return fields

    def attribute(self, node: ast.Attribute, scope: Scope, depth: int) -> Any:
        """`args.model_path`, `cfg.train.lr`, `path.parent`, `config.MODELS`, `self.path`."""
        module = scope.module
        if isinstance(node.value, ast.Name) and node.value.id == "self" and scope.owner is not None:
            for bound, there in module.attributes.get(node.attr, []):
                value = self.value(bound, there, depth)
                if value is not UNKNOWN:
                    return value
            return self._of_class(scope.owner, node.attr, module, depth)
        dotted = module.dotted(node)
        if dotted == "sys.argv":
            return [self.script, *self.arguments]
        base = self.value(node.value, scope, depth)
        if isinstance(base, dict):
            return base.get(node.attr, UNKNOWN)
        if isinstance(base, str):
            return _of_path(base, node.attr)
        if dotted and not dotted.startswith("."):
            imported = self._imported(dotted, module, depth)
            if imported is not UNKNOWN:
                return imported
        if isinstance(node.value, ast.Name) and node.value.id == "FLAGS":
            return self._flag(node.attr, depth)
        if isinstance(node.value, ast.Name) and node.value.id in module.classes:
            return self._of_class(module.classes[node.value.id], node.attr, module, depth)
        named: Any = self.named.get(node.attr, UNKNOWN)
        return named

    def _of_class(self, owner: ast.ClassDef, name: str, module: Module, depth: int) -> Any:
        for child in owner.body:
            target = child.targets[0] if isinstance(child, ast.Assign) else None
            target = child.target if isinstance(child, ast.AnnAssign) else target
            if isinstance(target, ast.Name) and target.id == name:
                return self.value(getattr(child, "value", None), module.top, depth)
        return UNKNOWN

    def _flag(self, name: str, depth: int) -> Any:
        """`FLAGS.name` of absl: what the command gives, else the default."""
        if name in self.named:
            return self.named[name]
        for module in self.modules:
            for node in module.flag_calls:
                named = _argument(node, 0, "name")
                if isinstance(named, ast.Constant) and named.value == name:
                    return self.value(_argument(node, 1, "default"), module.top, depth)
        return UNKNOWN

    def call(self, node: ast.Call, scope: Scope, depth: int) -> Any:
        """What a call gives, of the few whose result follows from its arguments."""
        dotted = scope.module.dotted(node.func)
        last = dotted.rpartition(".")[2]
        if last.startswith("DEFINE_"):
            named = self.value(_argument(node, 0, "name"), scope, depth)
            return {"value": self._flag(named, depth)} if isinstance(named, str) else UNKNOWN
        known = _CALLS.get(dotted) or (_CALLS.get(last) if last in _SAME_ANYWHERE else None)
        if known is None and isinstance(node.func, ast.Attribute):
            known = _METHODS.get(node.func.attr)
        if known is not None:
            value = known(self, node, scope, depth)
            if value is not UNKNOWN:
                return value
        return self.returned(node, scope, depth)

    def arguments_of(self, node: ast.Call, scope: Scope, depth: int) -> list[Any]:
        """The values of a call's positional arguments."""
        return [self.value(arg, scope, depth) for arg in node.args]

    def load(self, value: Any) -> Any:
        """What a configuration file holds, and the note that it was read."""
        path = self.path(value)
        content = None if path is None else self.sources.tree.values(path)
        if path is None or content is None:
            return UNKNOWN
        self.loaded[path] = None
        return content

    def parsed(self, scope: Scope, depth: int) -> dict[str, Any]:
        """The namespace that `parse_args` gives: the command's arguments, else the defaults."""
        known: dict[str, Any] = {**self.named}
        for name, (value, module) in self._declared.items():
            if isinstance(value, ast.expr):
                here = self.value(value, scope, depth)
                value = here if here is not UNKNOWN else self.value(value, module.top, depth)
            known[name] = value
        return known


def _declared(module: Module, named: dict[str, str], rest: Sequence[str]) -> dict[str, Any]:
    """The options that `add_argument` declares: what the command gives, else the default."""
    declared: dict[str, Any] = {}
    place = 0
    for node in module.option_calls:
        names = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        texts = [name for name in names if isinstance(name, str)]
        destination = _argument(node, 99, "dest")
        if isinstance(destination, ast.Constant):
            name = str(destination.value)
        else:
            name = max(texts, key=lambda text: (text.startswith("--"), len(text)), default="")
        name = name.lstrip("-").replace("-", "_")
        spelled = [text.lstrip("-").replace("-", "_") for text in texts]
        given = next((named[name] for name in spelled if name in named), None)
        if texts and not texts[0].startswith("-"):
            given = rest[place] if place < len(rest) else None
            place += 1
        declared[name] = given if given is not None else _argument(node, 99, "default")
    return declared


def missing_arguments(program: Program) -> list[str]:
    """The arguments that a script demands and its command does not give. With commands of its own
    (`add_subparsers`) nobody knows which of them are meant.
    """
    missing: list[str] = []
    place = 0
    if "add_subparsers" in program.sources.tree.text(program.script):
        return []
    asked = demanded(program.modules[0])
    missing += [name for name in asked if name.lstrip("-").replace("-", "_") not in program.named]
    if missing and program.rest:
        missing = [name for name in missing if name.startswith("-")]
    for node in program.modules[0].option_calls:
        texts = [
            arg.value
            for arg in node.args
            if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        ]
        if not texts:
            continue
        if not texts[0].startswith("-"):
            arity = argument(node, 99, "nargs")
            is_free = isinstance(arity, ast.Constant) and arity.value in ("?", "*")
            if place >= len(program.rest) and not is_free:
                missing.append(texts[0])
            place += 1
            continue
        required = argument(node, 99, "required")
        is_required = isinstance(required, ast.Constant) and required.value is True
        names = [text.lstrip("-").replace("-", "_") for text in texts]
        if is_required and not any(name in program.named for name in names):
            missing.append(max(texts, key=len))
    return missing


def _parameters(function: Function) -> list[str]:
    arguments = function.args
    return [arg.arg for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _default(function: Function, name: str) -> ast.expr | None:
    arguments = function.args
    places = [*arguments.posonlyargs, *arguments.args]
    pairs = zip(reversed(places), reversed(arguments.defaults), strict=False)
    defaults: dict[str, ast.expr | None] = {parameter.arg: its for parameter, its in pairs}
    defaults |= {
        parameter.arg: its
        for parameter, its in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    }
    return defaults.get(name)


def _argument(call: ast.Call, place: int, *names: str) -> ast.expr | None:
    """The argument of a call at a place or of one of these names."""
    for keyword in call.keywords:
        if keyword.arg in names:
            return keyword.value
    if any(isinstance(arg, ast.Starred) for arg in call.args[: place + 1]):
        return None
    return call.args[place] if 0 <= place < len(call.args) else None


argument = _argument


def _is_hydra(function: Function, module: Module) -> bool:
    return hydra_decorator(function, module) is not None


def hydra_decorator(function: Function, module: Module) -> ast.Call | None:
    """The `@hydra.main(…)` of a function."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and module.dotted(decorator.func) == "hydra.main":
            return decorator
    return None


def _of_path(path: str, name: str) -> Any:
    """An attribute of a path."""
    stem, suffix = posixpath.splitext(posixpath.basename(path))
    known: dict[str, Any] = {
        "parent": posixpath.dirname(path) or ".",
        "name": posixpath.basename(path),
        "stem": stem,
        "suffix": suffix,
    }
    if name == "parents":
        above, here = [], path
        while posixpath.dirname(here) != here:
            here = posixpath.dirname(here)
            above.append(here or ".")
        return above
    return known.get(name, UNKNOWN)


# How each kind of expression is read


def _constant(_program: Program, node: ast.Constant, _scope: Scope, _depth: int) -> Any:
    return node.value if not isinstance(node.value, bytes | complex) else UNKNOWN


def _name(program: Program, node: ast.Name, scope: Scope, depth: int) -> Any:
    return program.look_up(node.id, scope, depth)


def _formatted(program: Program, node: ast.JoinedStr, scope: Scope, depth: int) -> Any:
    parts = []
    for part in node.values:
        value = part.value if isinstance(part, ast.FormattedValue) else part
        known = program.value(value, scope, depth)
        parts.append(str(known) if isinstance(known, str | int | float) else HOLE)
    return "".join(parts)


def _binary(program: Program, node: ast.BinOp, scope: Scope, depth: int) -> Any:
    left, right = (program.value(side, scope, depth) for side in (node.left, node.right))
    if isinstance(node.op, ast.Div):
        if isinstance(left, str) and (isinstance(right, str) or right is UNKNOWN):
            return posixpath.join(left, right if isinstance(right, str) else HOLE)
    elif isinstance(node.op, ast.Add):
        if isinstance(left, str) or isinstance(right, str):
            texts = [side if isinstance(side, str) else HOLE for side in (left, right)]
            return "".join(texts)
        if isinstance(left, list) and isinstance(right, list):
            return left + right
    return UNKNOWN


def _attribute(program: Program, node: ast.Attribute, scope: Scope, depth: int) -> Any:
    return program.attribute(node, scope, depth)


def _subscript(program: Program, node: ast.Subscript, scope: Scope, depth: int) -> Any:
    base = program.value(node.value, scope, depth)
    key = program.value(node.slice, scope, depth)
    try:
        return base[key]
    except (KeyError, IndexError, TypeError):
        return UNKNOWN


def _either(program: Program, node: ast.IfExp, scope: Scope, depth: int) -> Any:
    value = program.value(node.body, scope, depth)
    return value if value is not UNKNOWN else program.value(node.orelse, scope, depth)


def _first_of(program: Program, node: ast.BoolOp, scope: Scope, depth: int) -> Any:
    for operand in node.values:
        value = program.value(operand, scope, depth)
        if value is not UNKNOWN and value is not None and value != "":
            return value
    return UNKNOWN


def _list(program: Program, node: ast.List | ast.Tuple, scope: Scope, depth: int) -> Any:
    return [program.value(element, scope, depth) for element in node.elts]


def _dict(program: Program, node: ast.Dict, scope: Scope, depth: int) -> Any:
    mapping: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        name = program.value(key, scope, depth)
        if isinstance(name, str | int):
            mapping[name] = program.value(value, scope, depth)
    return mapping


def _call(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    return program.call(node, scope, depth)


_READERS: dict[type, Callable[[Program, Any, Scope, int], Any]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.JoinedStr: _formatted,
    ast.BinOp: _binary,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.IfExp: _either,
    ast.BoolOp: _first_of,
    ast.List: _list,
    ast.Tuple: _list,
    ast.Dict: _dict,
    ast.Call: _call,
}


# What a few calls give

_Call = Callable[[Program, ast.Call, Scope, int], Any]


def _joined(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    """`Path(a, b)`, `os.path.join(a, b)`: what is not known is a hole, but not all of it."""
    parts = program.arguments_of(node, scope, depth)
    if not any(isinstance(part, str) for part in parts):
        return "." if not node.args else UNKNOWN
    return posixpath.join(*(part if isinstance(part, str) else HOLE for part in parts))


def _same(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    """The first argument as it is, or what a method is called on."""
    if node.args:
        return program.value(node.args[0], scope, depth)
    return _receiver(program, node, scope, depth)


def _receiver(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    if isinstance(node.func, ast.Attribute):
        return program.value(node.func.value, scope, depth)
    return UNKNOWN


def _here(_program: Program, _node: ast.Call, _scope: Scope, _depth: int) -> Any:
    return "."


def _dirname(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    path = _same(program, node, scope, depth)
    return (posixpath.dirname(path) or ".") if isinstance(path, str) else UNKNOWN


def _basename(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    path = _same(program, node, scope, depth)
    return posixpath.basename(path) if isinstance(path, str) else UNKNOWN


def _joined_path(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    base = _receiver(program, node, scope, depth)
    if not isinstance(base, str):
        return UNKNOWN
    parts = program.arguments_of(node, scope, depth)
    return posixpath.join(base, *(part if isinstance(part, str) else HOLE for part in parts))


def _with_suffix(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    base, suffix = _receiver(program, node, scope, depth), _same(program, node, scope, depth)
    if isinstance(base, str) and isinstance(suffix, str):
        return posixpath.splitext(base)[0] + suffix
    return UNKNOWN


def _with_name(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    base, name = _receiver(program, node, scope, depth), _same(program, node, scope, depth)
    if isinstance(base, str) and isinstance(name, str):
        return posixpath.join(posixpath.dirname(base), name)
    return UNKNOWN


def _formatted_text(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    """`"model_{}.pt".format(epoch)`: every field that is not plainly known is a hole."""
    base = _receiver(program, node, scope, depth)
    if not isinstance(base, str):
        return UNKNOWN
    values = program.arguments_of(node, scope, depth)
    known = iter(str(value) if isinstance(value, str | int) else HOLE for value in values)
    return re.sub(r"\{[^{}]*\}", lambda _: next(known, HOLE), base[:MAX_TEXT])


def _opened(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    path = program.value(_argument(node, 0, "file"), scope, depth)
    mode = program.value(_argument(node, 1, "mode"), scope, depth)
    return (
        Handle(path, mode if isinstance(mode, str) else "r") if isinstance(path, str) else UNKNOWN
    )


def _opened_path(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    path = _receiver(program, node, scope, depth)
    mode = program.value(_argument(node, 0, "mode"), scope, depth)
    return (
        Handle(path, mode if isinstance(mode, str) else "r") if isinstance(path, str) else UNKNOWN
    )


def _loaded(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    return program.load(program.value(_argument(node, 0), scope, depth))


def _params(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    given = program.value(_argument(node, 0), scope, depth)
    return program.load(given if isinstance(given, str) else PARAMS)


def _got(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    """`params.get("model", default)` of a mapping that is known."""
    base = _receiver(program, node, scope, depth)
    key = program.value(_argument(node, 0), scope, depth)
    if isinstance(base, dict) and isinstance(key, str) and key in base:
        return base[key]
    return program.value(_argument(node, 1), scope, depth)


def _default_of(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    """The default of `os.environ.get(name, default)`."""
    return program.value(_argument(node, 1, "default"), scope, depth)


def _namespace(program: Program, _node: ast.Call, scope: Scope, depth: int) -> Any:
    return program.parsed(scope, depth) or UNKNOWN


def _option(program: Program, node: ast.Call, scope: Scope, depth: int) -> Any:
    return program.value(_argument(node, 0, "default"), scope, depth)


_CALLS: dict[str, _Call] = {
    "os.path.join": _joined,
    "pathlib.Path": _joined,
    "pathlib.PurePath": _joined,
    "pathlib.PosixPath": _joined,
    "pathlib.Path.cwd": _here,
    "os.getcwd": _here,
    "os.path.abspath": _same,
    "os.path.realpath": _same,
    "os.path.normpath": _same,
    "os.path.expanduser": _same,
    "os.fspath": _same,
    "os.path.dirname": _dirname,
    "os.path.basename": _basename,
    "os.environ.get": _default_of,
    "os.getenv": _default_of,
    "str": _same,
    "open": _opened,
    "io.open": _opened,
    "yaml.safe_load": _loaded,
    "yaml.load": _loaded,
    "yaml.full_load": _loaded,
    "json.load": _loaded,
    "toml.load": _loaded,
    "tomllib.load": _loaded,
    "tomli.load": _loaded,
    "omegaconf.OmegaConf.load": _loaded,
    "omegaconf.OmegaConf.create": _same,
    "omegaconf.OmegaConf.to_container": _same,
    "dvc.api.params_show": _params,
    "typer.Option": _option,
    "typer.Argument": _option,
    "hydra.utils.to_absolute_path": _same,
    "ConfigBox": _same,
    "Box": _same,
    "DictConfig": _same,
    "EasyDict": _same,
    "Munch": _same,
}
_SAME_ANYWHERE = frozenset({"ConfigBox", "Box", "DictConfig", "EasyDict", "Munch"})
_METHODS: dict[str, _Call] = {
    "resolve": _receiver,
    "absolute": _receiver,
    "expanduser": _receiver,
    "as_posix": _receiver,
    "strip": _receiver,
    "joinpath": _joined_path,
    "with_suffix": _with_suffix,
    "with_name": _with_name,
    "open": _opened_path,
    "load": _loaded,
    "get": _got,
    "parse_args": _namespace,
    "format": _formatted_text,
}
