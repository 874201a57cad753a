"""Options without which a script leaves no model: `if args.save_model: torch.save(…)`."""

from __future__ import annotations

import ast

from assent.setup.source import Scope
from assent.setup.values import Program, argument

_MAX_ABOVE = 50


def switches(program: Program, node: ast.Call, scope: Scope) -> list[tuple[str, bool]]:
    """The options that a call stands under and that the command does not give, as they are spelled,
    each with whether it is a mere flag. A call in a function stands under what its only caller
    stands under.
    """
    switches_above = _above(program, node, scope)
    sites = program.sites(scope)
    if len(sites) == 1:
        switches_above += _above(program, *sites[0])
    return list(dict.fromkeys(switches_above))


def _above(program: Program, node: ast.Call, scope: Scope) -> list[tuple[str, bool]]:
    options: list[tuple[str, bool]] = []
    parents = scope.module.parents
    here: ast.AST = node
    for _ in range(_MAX_ABOVE):
        above = parents.get(here)
        if above is None:
            break
        if isinstance(above, ast.If) and here in above.body:
            for name in _tested(above.test):
                option = _option(program, name)
                if option is not None:
                    options.append(option)
        here = above
    return options


def _tested(test: ast.expr) -> list[str]:
    """The attributes that must be true: `args.save`, alone or joined by `and`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return [name for part in test.values for name in _tested(part)]
    return [test.attr] if isinstance(test, ast.Attribute) else []


def _option(program: Program, name: str) -> tuple[str, bool] | None:
    """The option of a name, if its default is no and the command does not give it."""
    for module in program.modules:
        for call in module.option_calls:
            spelled = _spelled(call)
            if name not in (option.lstrip("-").replace("-", "_") for option in spelled):
                continue
            shown = max(spelled, key=len)
            given = {option.lstrip("-").replace("-", "_") for option in spelled}
            if not given.isdisjoint(program.named) or not shown.startswith("-"):
                return None
            action = argument(call, 99, "action")
            is_flag = isinstance(action, ast.Constant) and action.value == "store_true"
            default = argument(call, 99, "default")
            is_off = default is None or (isinstance(default, ast.Constant) and not default.value)
            return (shown, is_flag) if is_off else None
    return None


def _spelled(call: ast.Call) -> list[str]:
    constants = [constant.value for constant in call.args if isinstance(constant, ast.Constant)]
    return [constant for constant in constants if isinstance(constant, str)]
