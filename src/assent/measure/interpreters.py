"""Which Python a process is: the path that it was started by, which tells the environment.

In a virtual environment `python` is a link to another installation's program, so that the program
of a process says nothing. What counts is what the interpreter itself looks at when it starts: its
first argument, and where that has no folder, the search path (`Modules/getpath.py` of CPython).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import psutil

from assent.core.evidence import PackagesGap

_PYTHON = re.compile(r"\.?(?:python|pypy|graalpy)[\w.-]*", re.IGNORECASE)
FINDS_PACKAGES = ("PYTHONPATH", "PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONUSERBASE")
_FLAGS = "EIsS"
"""The options that decide which packages are found."""

_TOOLS = frozenset(
    """
    conda doit dvc ensurepip fab guild hatch inv invoke jupyter jupyter-execute jupyter-nbconvert
    jupyter-run mamba mlflow nbconvert nox papermill pdm pip pipenv pipx poetry pre-commit scons
    snakemake tox uv venv virtualenv virtualenv-clone
    """.split()
)
"""Programs in Python that run others, or install: their own packages compute nothing."""

_QUESTIONS = ("_in_process.py", "_py_info_collect.py", "get_interpreter_info.py", "py_info.py")
"""Scripts by which virtualenv and installers ask an interpreter what it is, or have it build."""

_ELSEWHERE = frozenset(
    """
    apptainer bsub docker kubectl nerdctl podman qsub sbatch singularity srun ssh
    """.split()
)
"""Programs that have something run in a container or on another machine."""


class Interpreter(msgspec.Struct, frozen=True, kw_only=True):
    """A Python interpreter by the path that it is started by. `variables` (names and values)
    and `flags` decide which packages it finds.
    """

    path: str
    flags: str = ""
    variables: tuple[tuple[str, str], ...] = ()


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The interpreters that a command was seen to run, with their CPU seconds, the busiest first;
    and what may have run besides.
    """

    interpreters: tuple[tuple[Interpreter, float], ...] = ()
    gaps: tuple[PackagesGap, ...] = ()


def is_interpreter(name: str) -> bool:
    """Whether a program of this name is a Python interpreter."""
    return _PYTHON.fullmatch(name) is not None


def is_tool(name: str) -> bool:
    """Whether a program or module of this name only runs others."""
    return re.sub(r"(?<=^pip)[0-9.]+$", "", name) in _TOOLS


def recognise(process: psutil.Process, root: Path) -> Interpreter | PackagesGap | None:
    """The interpreter that `process` is; why it cannot be known; or None if it is none, or one
    that only runs others. `root` is where the command was started.
    """
    try:
        program = process.exe()
        if Path(program).name in _ELSEWHERE:
            return None if _is_of_git(process) else "elsewhere"
        if not is_interpreter(Path(program).name):
            return None
        return _recognise(process, program, root)
    except psutil.AccessDenied:
        return "hidden" if is_interpreter(process.name()) else None


def _recognise(
    process: psutil.Process, program: str, root: Path
) -> Interpreter | PackagesGap | None:
    words = process.cmdline()
    flags, runs = started_with(words)
    is_asked = runs in _QUESTIONS or (runs == _CODE and "I" in flags)  # uv, for one, asks so
    if not words or is_asked or is_tool(runs):  # without words it has ended
        return None
    variables = process.environ()
    search_path = variables.get("PATH", os.defpath)
    for folder in dict.fromkeys((process.cwd(), str(root))):  # it may have changed its folder
        path = find_program(words[0], folder, search_path)
        if path is not None and _is_program_of(process, program, path):
            kept = variables_kept(variables, folder)
            return Interpreter(path=path, flags=flags, variables=kept)
    return "hidden"


def started_with(words: Sequence[str]) -> tuple[str, str]:
    """Of an interpreter's command line: the options that decide which packages it finds, and the
    name of the script or the top-level module that it runs (`-c` for code, "" for none).
    """
    flags = ""
    rest = iter(words[1:])
    for word in rest:
        match = _OPTION.fullmatch(word)
        if match is None:
            return flags, Path(word).name
        letters, last, value = match.groups()
        flags += "".join(letter for letter in letters if letter in _FLAGS)
        if last == "c":
            return flags, _CODE
        if word == "-":
            break
        if last == "m":
            return flags, (value or next(rest, "")).split(".", 1)[0]
        if last and not value:
            next(rest, None)
    return flags, ""


_CODE = "-c"
_OPTION = re.compile(r"-([bBdEiIOPqRsStuvx]*)([cmWX]?)(.*)", re.DOTALL)


def find_program(program: str, folder: str | Path, search_path: str) -> str | None:
    """The file that a shell in `folder` runs for `program`; links are not resolved."""
    if "\0" in program:
        return None
    folders = [""] if "/" in program else search_path.split(os.pathsep)
    for name in folders:
        path = Path(folder, name, os.path.expanduser(program))  # noqa: PTH111 - `~` may stay
        if os.access(path, os.X_OK) and path.is_file():
            return str(path)
    return None


def _is_program_of(process: psutil.Process, program: str, path: str) -> bool:
    """Whether `path` is what runs. In a container, or after an upgrade, another file may stand
    there. On macOS the framework's `python` starts another program.
    """
    if sys.platform == "darwin":
        return is_interpreter(Path(path).name)
    running = Path(f"/proc/{process.pid}/exe")
    try:
        return Path(path).samefile(running if running.parent.exists() else program)
    except PermissionError:
        raise psutil.AccessDenied(process.pid) from None
    except OSError:
        return False


def variables_kept(variables: Mapping[str, str], folder: str | Path) -> tuple[tuple[str, str], ...]:
    """The variables that decide which packages are found; their folders are made absolute."""
    kept = {name: variables[name] for name in FINDS_PACKAGES if variables.get(name)}
    if "PYTHONPATH" in kept:
        places = filter(None, kept["PYTHONPATH"].split(os.pathsep))
        kept["PYTHONPATH"] = os.pathsep.join(str(Path(folder, place)) for place in places)
    return tuple(kept.items())


def _is_of_git(process: psutil.Process) -> bool:
    """Whether it only carries what Git fetches."""
    parent = process.parent()
    return parent is not None and parent.name().startswith("git")
