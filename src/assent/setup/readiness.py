"""What would make a run fail after hours, and can be known before it: TODOs and missing scripts."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

from assent.config.settings import ModelSettings
from assent.setup.recipes import JUSTFILES, MAKEFILES, TODO
from assent.setup.shell import SCRIPTS, Simple, commands, path_of, ran

_WRITES_NO_SCRIPT = frozenset(
    [
        *("cd", "mkdir", "export", "echo", "set", "pip", "pip3", "rm", "true", "date"),
        *("python", "python3", "sh", "bash", "Rscript"),  # they might; it is not usual
    ]
)
_NEEDED = {"make": MAKEFILES, "gmake": MAKEFILES, "just": JUSTFILES}


def unfinished(settings: ModelSettings) -> tuple[str, ...]:
    """The keys in which `assent init` has left a TODO for a person."""
    given: dict[str, Sequence[str | None]] = {
        "train": [settings.train],
        "evaluate": [settings.evaluate],
        "model": [settings.model],
        "inputs": settings.inputs,
        "metrics": settings.metrics,
    }
    return tuple(
        key
        for key, values in given.items()
        if any(value is not None and value.strip() == TODO for value in values)
    )


def missing_scripts(root: Path, command: str) -> tuple[str, ...]:
    """The scripts that a command names and that are not below `root`, so that it cannot work.

    What only a shell would know (a variable, a condition, a file that an earlier command brings)
    is not called missing: nothing is said of what follows a command that may write files.
    """
    found: dict[str, None] = {}
    for simple in commands(command):
        if simple.is_conditional or simple.words[0] in ("test", "[", "[[", "source", ".", "eval"):
            break
        path = _missing(root, simple)
        if path is not None:
            found[path] = None
        if posixpath.basename(simple.words[0]) not in _WRITES_NO_SCRIPT:
            break
    return tuple(found)


def _missing(root: Path, simple: Simple) -> str | None:
    if simple.folder is None:
        return None
    program = posixpath.basename(simple.words[0])
    if program in _NEEDED and not any(word.startswith("-") for word in simple.words):
        there = [root / simple.folder / name for name in _NEEDED[program]]
        return None if any(one.exists() for one in there) else _NEEDED[program][-1]
    found = ran(simple)
    if found is None:
        return None
    if found.module is not None:
        return _missing_module(root, simple, found.module)
    assert found.script is not None
    path = path_of(simple, found.script)
    if path is None or (root / path).exists():
        return None
    return path if path.endswith(SCRIPTS) or "/" in path else None


def _missing_module(root: Path, simple: Simple, module: str) -> str | None:
    """A module that its package, which is here, does not hold. Other packages are installed."""
    parts = module.split(".")
    home = root / (simple.folder or "")
    if len(parts) < 2 or not (home / parts[0]).is_dir():
        return None
    inside = home.joinpath(*parts)
    if inside.with_suffix(".py").exists() or (inside / "__main__.py").exists():
        return None
    return f"{'/'.join(parts)}.py"
