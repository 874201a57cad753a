"""How the runner of GitHub Actions reads a log and the file of outputs, in a few lines.

Written after its own description of the forms; the order of the checks is its own.
"""

from __future__ import annotations

import re

NAMES = "add-mask add-path debug error group notice save-state set-env set-output warning".split()


def commands(log: str) -> list[tuple[str, str]]:
    """The commands that a log gives, as name and text."""
    found: list[tuple[str, str]] = []
    token: str | None = None
    for line in re.split(r"\r\n|\r|\n", log):
        name, text = _parse(line, [*NAMES, "stop-commands", *([token] if token else [])])
        if token is not None:
            token = None if name == token else token
        elif name == "stop-commands":
            token = text
        elif name is not None:
            found.append((name, text))
    return found


def outputs(text: str) -> dict[str, str]:
    """The outputs that the file of a step gives."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            name, delimiter = line.split("<<", 1)
            value: list[str] = []
            while (part := next(lines)) != delimiter:
                value.append(part)
            found[name] = "\n".join(value)
        else:
            name, _, found_value = line.partition("=")
            found[name] = found_value
    return found


def _parse(line: str, names: list[str]) -> tuple[str | None, str]:
    new = re.match(r"\s*::(?P<name>[^\s:]+)(?:\s(?P<about>.*?))?::(?P<text>.*)", line)
    if new and new["name"] in names:
        return new["name"], _unescaped(new["text"])
    old = re.search(r"##\[(?P<name>[^\s\]]+)[^\]]*\](?P<text>.*)", line)
    if old and old["name"] in names:
        return old["name"], old["text"]
    return None, ""


def _unescaped(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
