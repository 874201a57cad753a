"""The names in what a script writes: keys of a mapping, columns of a table, figures in a text."""

from __future__ import annotations

import ast
import re

from assent.measure.metrics import of_text
from assent.parsing import ParseError
from assent.setup.source import Module, Scope
from assent.setup.values import HOLE, Handle, Program

MAX_NAMES = 50
_MAX_WRITTEN = 20_000
_PLACE = re.compile(r"\{[^{}\n]{0,30}\}|%[-+ #0-9.]{0,8}[dfgeiGEs]")
_FIGURE = re.compile(r"([A-Za-z][\w %@./-]*?)\s*[:=]\s*$")


def names_of(
    program: Program, node: ast.expr | None, scope: Scope, depth: int = 0
) -> tuple[str, ...]:
    """The dotted names of a mapping that a script builds; empty if it cannot be followed."""
    return tuple(dict.fromkeys(_keys(program, node, scope, depth)))[:MAX_NAMES]


def columns_of(program: Program, node: ast.expr, scope: Scope, depth: int = 0) -> tuple[str, ...]:
    """The columns of a table that a script builds from a mapping."""
    if depth > 6:
        return ()
    if isinstance(node, ast.Call):
        last = scope.module.dotted(node.func).rpartition(".")[2]
        if last == "DataFrame" and node.args:
            return tuple(
                name for name in _keys(program, node.args[0], scope, depth) if "." not in name
            )
        return ()
    if isinstance(node, ast.Name):
        for bound, here in _bindings(node.id, scope):
            columns = columns_of(program, bound, here, depth + 1)
            if columns:
                return tuple(dict.fromkeys([*columns, *_added(node.id, here)]))
    return ()


def figures_in_text(program: Program, path: str, scope: Scope) -> tuple[str, ...]:
    """The names that a script writes before figures into the text file at `path`:
    `file.write(f"Accuracy = {accuracy}")`. None of a `.txt` file that could not be read for
    figures as it would be then: one with a table in it, or a figure in prose.
    """
    names: dict[str, None] = {}
    text = ""
    for method in ("write", "write_text", "writelines"):
        for node, here in program.calls.get(method, []):
            if here.module is not scope.module or not isinstance(node.func, ast.Attribute):
                continue
            target = program.value(node.func.value, here)
            if isinstance(target, Handle | str) and program.path(target) == path:
                for argument in node.args:
                    names |= dict.fromkeys(_figures(argument))
                    text += _as_written(argument)
                text += "\n" * (method == "write_text")
    if path.endswith(".txt"):
        is_printed = any(
            isinstance(target := program.value(keyword.value, here), Handle)
            and program.path(target) == path
            for node, here in program.calls.get("print", [])
            for keyword in node.keywords
            if keyword.arg == "file"
        )
        names = {} if is_printed else dict.fromkeys(_readable(text))
    return tuple(names)[:MAX_NAMES]


def _as_written(node: ast.expr) -> str:
    """What an expression writes, with a number in the place of each value."""
    shown = ""
    for part in _parts(node):
        is_text = isinstance(part, ast.Constant) and isinstance(part.value, str)
        shown += part.value if is_text else "0.5"  # type: ignore[attr-defined]
    return shown[:_MAX_WRITTEN]


def _readable(text: str) -> list[str]:
    """The names that the reader of metrics would find; none if it would refuse the text."""
    try:
        return [name for name, _ in of_text(text[:_MAX_WRITTEN].encode(errors="replace"))]
    except ParseError:
        return []


def _figures(node: ast.expr) -> list[str]:
    """The words before each value: of `f"Accuracy = {a}, F1 = {b}"` Accuracy and F1."""
    labels = []
    label = ""
    for part in _parts(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            label = part.value
            continue
        match = _FIGURE.search(re.split(r"[,;\n]", label)[-1].strip() if label.strip() else "")
        if match is not None:
            labels.append(match[1].strip())
        label = ""
    return labels


def _parts(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.JoinedStr):
        return list(node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_parts(node.left), *_parts(node.right)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        base = node.func.value
        if node.func.attr == "format" and isinstance(base, ast.Constant):
            return _split_at_holes(base)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _split_at_holes(node.left)
    if isinstance(node, ast.List | ast.Tuple):
        return [part for element in node.elts for part in _parts(element)]
    return [node]


def _split_at_holes(node: ast.expr) -> list[ast.expr]:
    """The text of `"a: {}".format(…)` or `"a: %.2f" % …` in parts, a name for each value."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return [node]
    parts: list[ast.expr] = []
    for n, part in enumerate(_PLACE.split(node.value[:_MAX_WRITTEN])):
        parts += [ast.Name(id="value")] if n else []
        parts.append(ast.Constant(value=part))
    return parts


def _keys(program: Program, node: ast.expr | None, scope: Scope, depth: int) -> list[str]:
    if node is None or depth > 8:
        return []
    if isinstance(node, ast.Dict):
        return _keys_of_mapping(program, node, scope, depth)
    if isinstance(node, ast.Name):
        keys: list[str] = []
        for bound, here in _bindings(node.id, scope):
            keys += _keys(program, bound, here, depth + 1)
            keys += _added(node.id, here)
        return keys or _given(program, node.id, scope, depth)
    if isinstance(node, ast.Call):
        return _keys_of_call(program, node, scope, depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = (node.left, node.right)
        return [name for side in sides for name in _keys(program, side, scope, depth + 1)]
    return []


def _keys_of_mapping(program: Program, node: ast.Dict, scope: Scope, depth: int) -> list[str]:
    keys = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            keys += _keys(program, value, scope, depth + 1)
            continue
        name = program.value(key, scope)
        if not isinstance(name, str) or HOLE in name:
            continue
        inner = _keys(program, value, scope, depth + 1)
        keys += [f"{name}.{inner_key}" for inner_key in inner] or [name]
    return keys


def _keys_of_call(program: Program, node: ast.Call, scope: Scope, depth: int) -> list[str]:
    dotted = scope.module.dotted(node.func)
    last = dotted.rpartition(".")[2]
    if dotted == "dict":
        return [keyword.arg for keyword in node.keywords if keyword.arg is not None]
    if last in ("dumps", "dump", "asdict", "to_dict") and node.args:
        return _keys(program, node.args[0], scope, depth + 1)
    for module in program.modules:
        for function in module.functions.get(last, [])[:1]:
            inner = module.scopes[function]
            for child in ast.walk(function):
                if isinstance(child, ast.Return):
                    keys = _keys(program, child.value, inner, depth + 1)
                    if keys:
                        return keys
    return []


def _given(program: Program, name: str, scope: Scope, depth: int) -> list[str]:
    """The keys of what callers give for a parameter."""
    function = scope.function
    if function is None:
        return []
    names = [parameter.arg for parameter in function.args.args]
    if name not in names:
        return []
    place = names.index(name) - (1 if scope.owner is not None else 0)
    for call, caller in program.calls.get(function.name, [])[:4]:
        keyword = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
        given = call.args[place] if 0 <= place < len(call.args) else keyword
        keys = _keys(program, given, caller, depth + 1)
        if keys:
            return keys
    return []


def _bindings(name: str, scope: Scope) -> list[tuple[ast.expr, Scope]]:
    here: Scope | None = scope
    while here is not None:
        if name in here.names:
            return [(bound, here) for bound in here.names[name]]
        here = here.outer
    return []


def _added(name: str, scope: Scope) -> list[str]:
    """Keys that are set afterwards: `metrics["auc"] = …`."""
    body: list[ast.stmt] = scope.function.body if scope.function else _body(scope.module)
    keys = []
    for statement in body:
        for node in ast.walk(statement):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Subscript)
                and isinstance(node.targets[0].value, ast.Name)
                and node.targets[0].value.id == name
                and isinstance(node.targets[0].slice, ast.Constant)
                and isinstance(node.targets[0].slice.value, str)
            ):
                keys.append(node.targets[0].slice.value)
    return keys


def _body(module: Module) -> list[ast.stmt]:
    return module.tree.body
