"""The packages that a command ran with: asked of the interpreters that ran, or else not known.

That no interpreter was seen is no reason to say that nothing has changed, and neither is a lock
file that lies beside a command which does not run from it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path

import msgspec

from assent.core.evidence import PackagesGap
from assent.errors import AssentError
from assent.measure import lockfiles
from assent.measure.files import read_small
from assent.measure.interpreters import (
    FINDS_PACKAGES,
    Interpreter,
    Seen,
    find_program,
    is_interpreter,
    is_tool,
    started_with,
    variables_kept,
)
from assent.measure.lockfiles import by_name
from assent.measure.outside import output_of
from assent.parsing import ParseError

MAX_ASKED = 8
_MAX_SHOWN = 200
_GAPS: tuple[PackagesGap, ...] = (
    "nothing ran", "no answer", "hidden", "elsewhere", "short", "many", "not seen",
)  # fmt: skip
"""The first of these that holds is said."""


class Packages(msgspec.Struct, frozen=True, kw_only=True):
    """Packages by normalised name, where they are known from, the version of Python where that is
    known, why they are not known or not all, and the installations that were asked.
    """

    versions: dict[str, str] = {}
    source: str | None = None
    python: str | None = None
    gap: PackagesGap | None = None
    interpreters: tuple[str, ...] = ()


def read_packages(root: Path, command: str, seen: Seen, *, python: str | None = None) -> Packages:
    """The packages that `command` ran with in `root`.

    They are those of the interpreter `python`, if the team names one. Otherwise every interpreter
    is asked that the command names or that was seen to run. Without any they are those of the
    conda environment whose R or Julia the command names, or of the lock file that the command runs
    from (`uv run`).
    """
    if python is not None:
        path = find_program(python, root, _search_path())
        return Packages(gap="no answer") if path is None else _asked(root, [_at(path, root)], set())
    if not command:
        return Packages(gap="nothing ran")
    words, assigned = _words(command)
    ran = [interpreter for interpreter, _ in seen.interpreters]
    named = None if assigned & {"PATH", *FINDS_PACKAGES} else _named(root, words)
    if named is not None and all(named != interpreter.path for interpreter in ran):
        ran.insert(0, _at(named, root))
    if ran:
        return _asked(root, ran, {*seen.gaps})
    return (
        _conda(root, words)
        or _locked(root, words)
        or Packages(gap=_first({*seen.gaps, "not seen"}))
    )


def joined(parts: Iterable[Packages]) -> Packages:
    """All of them as one: a package that is there in several versions has them all."""
    known = list(parts)
    return Packages(
        versions=by_name(
            (name, version)
            for part in known
            for name, versions in part.versions.items()
            for version in versions.split(", ")
        ),
        source=_together(part.source for part in known),
        python=_together(part.python for part in known),
        gap=_first(part.gap for part in known if part.gap is not None),
        interpreters=tuple(
            dict.fromkeys(interpreter for part in known for interpreter in part.interpreters)
        ),
    )


def _together(values: Iterable[str | None]) -> str | None:
    return ", ".join(dict.fromkeys(value for value in values if value is not None)) or None


def _first(gaps: Iterable[PackagesGap]) -> PackagesGap | None:
    return min(gaps, key=_GAPS.index, default=None)


_VARIABLE = re.compile(r"([A-Za-z_]\w*)=.*", re.DOTALL)
_PREFIXES = ("command", "env", "exec", "nice", "nohup", "setsid", "time")


def _words(command: str) -> tuple[list[str], set[str]]:
    """The words of a command from the program on, and the variables set before it: those of
    `SEED=1 nice python …` are `python …`.
    """
    try:
        words = shlex.split(command)
    except ValueError:  # a quote that is not closed
        words = command.split()
    assigned: set[str] = set()
    while words:
        match = _VARIABLE.fullmatch(words[0])
        if match is None and words[0] not in _PREFIXES:
            break
        assigned |= set() if match is None else {match[1]}
        del words[0]
    return words, assigned


def _named(root: Path, words: list[str]) -> str | None:
    """The interpreter that a command names: itself, or in the first line of its program."""
    if not words:
        return None
    name = Path(words[0]).name
    program = find_program(words[0], root, _search_path())
    if program is None or is_tool(name):
        return None
    if is_interpreter(name):
        return None if is_tool(started_with(words)[1]) else program
    return _interpreter_of_script(root, program)


_SHEBANG = re.compile(r"#!\s*(\S*/env\s+(?:-S\s+)?)?(\S+)")
_LONG_SHEBANG = re.compile(r"#!/bin/sh\n'+exec' \"?([^\"\n]+?)\"? \"\$0\"")
"""What installers write where the path is too long for a first line, or has spaces in it."""


def _interpreter_of_script(root: Path, program: str) -> str | None:
    try:
        with Path(program).open("rb") as file:
            head = file.read(1024).decode(errors="replace")
    except OSError:
        return None
    match = _LONG_SHEBANG.match(head) or _SHEBANG.match(head)
    named = "" if match is None else match[match.lastindex or 0]
    return find_program(named, root, _search_path()) if is_interpreter(Path(named).name) else None


def _search_path() -> str:
    return os.environ.get("PATH", os.defpath)


def _at(path: str, root: Path) -> Interpreter:
    """An interpreter that finds its packages by the variables that the command was given."""
    return Interpreter(path=path, variables=variables_kept(os.environ, root))


# The empty entry of the path is the working folder, where a `json.py` of the team may lie, as it
# may in a folder of `PYTHONPATH`.
_QUESTION = """
import sys
path = list(filter(None, sys.path))
sys.path[:] = path
import os
given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
sys.path[:] = [folder for folder in path if folder not in given]
import json, platform
from importlib.metadata import distributions
sys.path[:] = path
packages = {}
for one in distributions():
    try:
        packages.setdefault(one.metadata["Name"], one.version)
    except Exception:
        pass
answer = [platform.python_implementation(), platform.python_version(), sys.prefix, packages]
print()
print(json.dumps(answer, skipkeys=True))
"""


def _asked(root: Path, interpreters: list[Interpreter], gaps: set[PackagesGap]) -> Packages:
    """What the interpreters say of themselves."""
    distinct: dict[tuple[object, ...], Interpreter] = {}
    for ran in interpreters:
        distinct.setdefault(_identity(ran), ran)
    asked = [*distinct.values()]
    if len(asked) > MAX_ASKED:
        gaps.add("many")
    answers: list[Packages] = []
    for interpreter in asked[:MAX_ASKED]:
        answer = _ask(root, interpreter)
        if answer is None:
            gaps.add("no answer")
        else:
            answers.append(answer)
    return msgspec.structs.replace(joined(answers), gap=_first(gaps))


def _identity(interpreter: Interpreter) -> tuple[object, ...]:
    """`python` and `python3` of one folder are one."""
    path = Path(interpreter.path)
    return path.parent, path.resolve(), interpreter.flags, interpreter.variables


def _ask(root: Path, interpreter: Interpreter) -> Packages | None:
    """What an interpreter says of itself. It is asked in `root`, since version managers choose
    by folder.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in FINDS_PACKAGES}
    flags = [f"-{interpreter.flags}"] if interpreter.flags else []
    shown = output_of(
        [interpreter.path, *flags, "-c", _QUESTION],
        timeout_s=30,
        folder=root,
        variables={**inherited, **dict(interpreter.variables)},
    )
    try:
        implementation, version, prefix, packages = json.loads((shown or "").splitlines()[-1])
        versions = by_name(packages.items())
        where = _shown(root, prefix)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    python = str(version) if implementation == "CPython" else f"{implementation} {version}"
    return Packages(versions=versions, source="pip", python=python, interpreters=(where,))


def _shown(root: Path, prefix: str) -> str:
    """An installation's folder as people know it: from the repository, or from their home."""
    path = Path(prefix).resolve()
    for start, sign in ((root.resolve(), ""), (Path.home().resolve(), "~/")):
        if path.is_relative_to(start):
            return f"{sign}{path.relative_to(start)}"[:_MAX_SHOWN]
    return str(path)[:_MAX_SHOWN]


def _conda(root: Path, words: list[str]) -> Packages | None:
    """The conda environment whose R or Julia a command names; its files are called after name,
    version and build.
    """
    if not words or Path(words[0]).name not in ("R", "Rscript", "julia"):
        return None
    program = find_program(words[0], root, _search_path())
    meta = Path(program or "/").parent.parent / "conda-meta"
    parts = [path.stem.rsplit("-", 2) for path in meta.glob("*.json")]
    versions = by_name((part[0], part[1]) for part in parts if len(part) == 3)
    if not versions:
        return None
    return Packages(versions=versions, source="conda", python=versions.get("python"))


_RUNS_FROM = {"uv": "uv.lock", "poetry": "poetry.lock", "pipenv": "Pipfile.lock"}


def _locked(root: Path, words: list[str]) -> Packages | None:
    """The lock file that a command runs from, if no option has it run with anything else."""
    name = _RUNS_FROM.get(words[0]) if words[1:2] == ["run"] else None
    if name is None or words[2:3] == [] or words[2].startswith("-"):
        return None
    try:
        versions = lockfiles.pins(name, read_small(root / name))
    except (AssentError, ParseError):
        return None
    if not versions:
        return None
    return Packages(versions=versions, source=name, python=versions.get("python"))
