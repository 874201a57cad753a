"""The public Python names, from the code."""

from __future__ import annotations

import enum
import inspect
import re
from typing import Any

import msgspec

from assent import errors, ports

HEAD = """\
# Python API

<!-- Made by `python -m docs.generate`. -->

Most of what is public is the command line, its `--json` documents and the
[formats](formats.md). In Python these two modules are: `assent.ports` for whoever writes a store, a
ledger or a forge of their own, and `assent.errors` for what those raise. What a signature here
names from `assent.core` is public with it. All other modules may change in any release;
[stability.md](stability.md) says what may change here, and when.
"""


def document() -> str:
    """The reference of the public modules."""
    lines = [HEAD]
    for module in (ports, errors):
        lines += [f"## {module.__name__}", ""]
        for name, value in vars(module).items():
            is_own = getattr(value, "__module__", None) == module.__name__
            if not is_own or name.startswith("_") or name == "Struct":
                continue
            if inspect.isclass(value):
                lines += _class(name, value)
            elif inspect.isfunction(value):
                lines += [f"### {name}", "", *_code([_signature(name, value)]), _about(value), ""]
    return "\n".join(lines).rstrip() + "\n"


def _class(name: str, value: type) -> list[str]:
    base = ", ".join(parent.__name__ for parent in value.__bases__ if parent is not object)
    lines = [f"class {name}({base}):"]
    if issubclass(value, enum.Enum):
        lines += [f"    {member.name} = {member.value!r}" for member in value]
    elif issubclass(value, msgspec.Struct):
        notes = vars(value).get("__annotations__", {})
        given = {field.name: field for field in msgspec.structs.fields(value)}
        lines += [
            f"    {field}: {_plain(note)}{'' if given[field].required else ' = …'}"
            for field, note in notes.items()
        ]
    for field, member in vars(value).items():
        if field.startswith("_") or issubclass(value, enum.Enum):
            continue
        if isinstance(member, property) and member.fget is not None:
            lines.append(f"    {field}: {_plain(member.fget.__annotations__['return'])}  # read")
        elif inspect.isfunction(member):
            lines.append(f"    {_signature(field, member)}")
    return [f"### {name}", "", *_code(lines), _about(value), ""]


def _signature(name: str, function: Any) -> str:
    return f"def {name}{_plain(str(inspect.signature(function)))}"


def _plain(text: str) -> str:
    """Annotations are texts, which Python quotes."""
    return re.sub(r"'([^']*)'", r"\1", str(text))


def _code(lines: list[str]) -> list[str]:
    return ["```text", *lines, "```", ""]


def _about(value: Any) -> str:
    return re.sub(r"\n(?!\n)", "\n", inspect.getdoc(value) or "")
