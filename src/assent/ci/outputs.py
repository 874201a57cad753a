"""How a step of GitHub Actions is spoken to: outputs, summary, annotations, and plain log lines.

The runner reads commands from every line of the log, of both streams: `::name::value` at the
start of a line, and, from older days, `##[name]value` anywhere in it. So whatever is printed
passes through `inert`, and what other programs print stands between `stop` and `resume`.

The forms: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from assent.errors import OutsideError

SUMMARY_LIMIT = 1_000_000
"""Characters and bytes; a summary of more than 1 MiB is not shown at all."""

STEP_FILES = (
    *("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH"),
    *("GITHUB_STATE", "GITHUB_STEP_SUMMARY"),
)
"""The variables with files by which whoever knows them speaks for the step."""

_COMMAND = re.compile(r"^(\s*)::", re.M)
_OLD_COMMAND = "##["
_NAME = re.compile(r"[a-z][a-z-]*")
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def is_step(environ: Mapping[str, str]) -> bool:
    """Whether the runner reads commands from what is printed here."""
    return environ.get("GITHUB_ACTIONS") == "true"


def inert(text: str) -> str:
    r"""`text` in which no line is a command: a backslash stands before `::` and within `##[`."""
    if "::" not in text and _OLD_COMMAND not in text:
        return text
    return _COMMAND.sub(r"\1\\::", text).replace(_OLD_COMMAND, "#\\#[")


def inert_json(text: str) -> str:
    """JSON on one line that decodes to the same, and in which no command stands."""
    return text.replace(_OLD_COMMAND, "#\\u0023[")


def annotation(level: str, title: str, message: str, *, file: str | None = None) -> str:
    """A line that shows `message` beside the run; `level` is `error`, `warning` or
    `notice`.
    """
    properties = {} if file is None else {"file": file}
    properties["title"] = title
    shown = ",".join(f"{key}={_escaped(value, _PROPERTY)}" for key, value in properties.items())
    return f"::{level} {shown}::{_escaped(message, _DATA)}"


def new_token() -> str:
    """A word that nobody can guess."""
    return secrets.token_hex(16)


def stop(token: str) -> str:
    """A line after which the runner takes no line for a command, until `resume`."""
    return f"::stop-commands::{token}"


def resume(token: str) -> str:
    """The line that ends `stop`."""
    return f"::{token}::"


def output_text(values: Mapping[str, str], delimiter: str) -> str:
    """Step outputs. A value may hold anything but the delimiter, which nobody can guess."""
    for name, value in values.items():
        if _NAME.fullmatch(name) is None or delimiter in value:
            raise ValueError(f"not an output: {name!r}")
    return "".join(f"{name}<<{delimiter}\n{value}\n{delimiter}\n" for name, value in values.items())


def write_outputs(path: str, values: Mapping[str, str]) -> None:
    """Append step outputs to the file of the step. Raises `OutsideError`."""
    _append(path, output_text(values, f"assent-{new_token()}"), "writing the outputs of the step")


def write_summary(path: str, markdown: str) -> None:
    """Append to the summary of the step. Raises `OutsideError`."""
    _append(path, markdown.rstrip("\n") + "\n", "writing the summary of the step")


def _append(path: str, text: str, doing: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.write(text)
    except OSError as error:
        raise OutsideError(doing, error.strerror or str(error)) from None


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)
