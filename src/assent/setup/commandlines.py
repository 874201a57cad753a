"""What a script's command line has to hold: commands of its own, and options that it demands, of
argparse, click, typer and absl. What argparse demands of a script without commands is in `values`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from assent.setup.source import Function, Module

MAX_COMMANDS = 30


def subcommands(module: Module) -> list[str]:
    """The commands that a script has of its own; none if running it is enough."""
    names = [*_parsers(module), *_groups(module)]
    return list(dict.fromkeys(names))[:MAX_COMMANDS]


def _parsers(module: Module) -> Iterator[str]:
    """Those of argparse: `subparsers.add_parser("train")`."""
    calls = [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "add_parser"
    ]
    for node in sorted(calls, key=lambda call: call.lineno):
        name = node.args[0] if node.args else None
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield name.value


def _groups(module: Module) -> list[str]:
    """Those of a group of click or an app of typer. An app of typer with one is that one."""
    commands = list(commands_of(module))
    is_typer = not any(is_group for _, _, is_group in commands)
    return [] if is_typer and len(commands) == 1 else [name for name, _, _ in commands]


def commands_of(module: Module) -> Iterator[tuple[str, Function, bool]]:
    """The functions that a group of click (then it is one) or an app of typer runs, by the name
    that a command line calls each by.
    """
    for function in _functions(module):
        for decorator in function.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if not isinstance(called, ast.Attribute) or called.attr != "command":
                continue
            owner = module.dotted(called.value)
            if owner == "click":
                continue
            words = decorator.args if isinstance(decorator, ast.Call) else []
            name = words[0].value if words and isinstance(words[0], ast.Constant) else None
            shown = name if isinstance(name, str) else function.name.replace("_", "-")
            yield shown, function, _is_group(module, owner)


def _is_group(module: Module, name: str) -> bool:
    """Whether a function is a group of click."""
    return any(
        "group" in ast.unparse(decorator)
        for function in module.functions.get(name.rpartition(".")[2], [])
        for decorator in function.decorator_list
    )


def demanded(module: Module) -> list[str]:
    """The options and arguments that click, typer or absl demand of a script with one command."""
    return list(dict.fromkeys([*_of_click(module), *_of_absl(module)]))


def _of_click(module: Module) -> Iterator[str]:
    commands = [
        function
        for function in _functions(module)
        if any(".command" in f".{ast.unparse(decorator)}" for decorator in function.decorator_list)
    ]
    if len(commands) != 1:
        return
    for decorator in commands[0].decorator_list:
        if not isinstance(decorator, ast.Call):
            continue
        called = module.dotted(decorator.func)
        keywords = {keyword.arg: keyword.value for keyword in decorator.keywords}
        names = [
            argument.value
            for argument in decorator.args
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        ]
        is_required = _is(keywords.get("required"), True)
        if called == "click.option" and is_required and names:
            yield max(names, key=len)
        is_free = (
            "default" in keywords
            or _is(keywords.get("required"), False)
            or _is(keywords.get("nargs"), -1)
        )
        if called == "click.argument" and names and not is_free:
            yield names[0]
    yield from _of_typer(commands[0], module)


def _of_typer(function: Function, module: Module) -> Iterator[str]:
    """What a typer app asks for: parameters without a default, and those whose default is `…`."""
    if not any("typer" in module_name for module_name in module.imports):
        return
    given = function.args
    places = [*given.posonlyargs, *given.args]
    without = places[: len(places) - len(given.defaults)]
    pairs = zip(places[len(places) - len(given.defaults) :], given.defaults, strict=True)
    for argument, default in pairs:
        first = default.args[0] if isinstance(default, ast.Call) and default.args else None
        if _is(first, ...):
            without.append(argument)
    for argument in without:
        shown = ast.unparse(argument.annotation) if argument.annotation is not None else ""
        if "Context" not in shown:
            yield argument.arg


def _of_absl(module: Module) -> Iterator[str]:
    for node in module.flag_calls:
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        name = node.args[0] if node.args else keywords.get("name")
        is_required = _is(keywords.get("required"), True)
        if is_required and isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield f"--{name.value}"
    for call in ast.walk(module.tree):
        called = module.dotted(call.func).rpartition(".")[2] if isinstance(call, ast.Call) else ""
        if called in ("mark_flag_as_required", "mark_flags_as_required"):
            for part in ast.walk(call):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield f"--{part.value}"


def _functions(module: Module) -> Iterator[Function]:
    for functions in module.functions.values():
        yield from functions


def _is(node: ast.expr | None, value: object) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = node.operand
        return isinstance(inner, ast.Constant) and inner.value == 1 and value == -1
    return isinstance(node, ast.Constant) and node.value is value
