"""What would make a run fail after hours, and can be known before it: TODOs and missing scripts."""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from assent.config.settings import ModelSettings
from assent.parsing import MAX_BYTES
from assent.setup.named_commands import JUSTFILES, MAKEFILES, TODO
from assent.setup.shell import SCRIPTS, SHELLS, Simple, commands, path_of, ran

_BRINGS_NOTHING = frozenset(["cd", "mkdir", "export", "echo", "set", "pip", "pip3", "rm", "true"])
_NEEDED = {"make": MAKEFILES, "gmake": MAKEFILES}
_GROUPS = re.compile(
    r"[(){}`]|(?<![&>])&(?![&>])|\|\s*(?:cd|pushd)\b|\b(?:cd|pushd)\s[^;&|]*\|(?!\|)"
)
"""Where a folder may be that of another shell: `(cd a); x`, `f() { cd a; }`, `cd a | x`."""
_VALUE, _FLAG = True, False
_OPTIONS = {
    "env": {"-i": _FLAG, "-u": _VALUE, "-": _FLAG},
    "time": {"-p": _FLAG, "-v": _FLAG},
    "nohup": {},
    "exec": {},
    "command": {},
    "nice": {"-n": _VALUE},
    "sudo": {"-E": _FLAG, "-u": _VALUE, "-H": _FLAG},
    "uv run": {
        **dict.fromkeys(
            "--extra --with --group --only-group --python -p --env-file --index".split(), _VALUE
        ),
        **dict.fromkeys(
            "--frozen --locked --no-sync --all-extras --all-groups --no-dev --dev --active "
            "--isolated --exact --quiet -q --verbose -v --no-project --no-progress "
            "--script".split(),
            _FLAG,
        ),
    },
    "poetry run": {"-q": _FLAG, "-v": _FLAG, "-n": _FLAG},
    "pipenv run": {},
    "conda run": {
        **dict.fromkeys("-n --name -p --prefix".split(), _VALUE),
        **dict.fromkeys("--no-capture-output --live-stream -v -vv".split(), _FLAG),
    },
    "coverage run": {"-a": _FLAG, "-p": _FLAG, "--branch": _FLAG, "--append": _FLAG},
}
"""What runs the rest of its words where it stands, and those of its options that do not change
that; `True` if a value follows. Of any other program, and with any other option, it is not known
where the rest runs: `uv run --directory a`, `env -C a`, `hatch run`.
"""
_PLAIN = re.compile(r"(?:.*/)?(?:python[0-9.]*|pypy[0-9.]*|Rscript|julia)$")
_HARMLESS = frozenset("-u -B -O -OO -s -S -E -q -v -b -d -i --vanilla --no-save".split())
_LAUNCHERS = frozenset({"torchrun", "accelerate", "deepspeed"})
_REACHES = re.compile(r"chdir|directory|cwd|wdir|workdir", re.IGNORECASE)
_INSTALLS = frozenset({"pip", "venv", "ensurepip"})


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

    A script is called missing only where there is no doubt where it would be looked for. What
    only a shell or another program knows (a variable, a condition, `uv run --directory`, what
    `PYTHONPATH` holds) leaves a doubt, and so does an earlier command that may bring the file.
    """
    scripts: dict[str, None] = {}
    earlier: list[Path] = []
    is_grouped = _GROUPS.search(command) is not None
    for simple in commands(command):
        first = simple.words[0]
        if simple.is_conditional or first in ("test", "[", "[[", "source", ".", "eval"):
            break
        if first in ("cd", "pushd", "popd"):
            if is_grouped or first == "popd" or not _is_plain_folder(simple):
                break
            continue
        place = _Place(root, command)
        path = place.missing(simple)
        if path is not None and not _may_be_written(path, earlier):
            scripts[path] = None
        if posixpath.basename(first) in _BRINGS_NOTHING:
            continue
        script = place.script(simple)
        if script is None:
            break
        earlier.append(script)
    return tuple(scripts)


def _is_plain_folder(simple: Simple) -> bool:
    return len(simple.words) == 2 and not simple.words[1].startswith("-")


def _may_be_written(path: str, scripts: Iterable[Path]) -> bool:
    """Whether a script that runs before may write the file: it says its name."""
    name = posixpath.basename(path).partition(".")[0]
    return any(name in _text(script) for script in scripts)


def _text(script: Path) -> str:
    try:
        with script.open("rb") as file:
            return file.read(MAX_BYTES).decode(errors="replace")
    except OSError:
        return ""


class _Place:
    """Where a command looks for what it runs."""

    def __init__(self, root: Path, command: str) -> None:
        self._root = root
        # It may hold what a folder here seems to lack, or take its place.
        self._has_search_path = "PYTHON" in command

    def missing(self, simple: Simple) -> str | None:
        """What the command runs and is not there; None if nothing is, or nobody can tell."""
        words = _certain(simple.words)
        if not words or simple.folder is None:
            return None
        program = posixpath.basename(words[0])
        if program in _NEEDED or program == "just":
            return self._missing_recipes(simple.folder, words)
        run = ran(_with_words(simple, words))
        if run is None:
            return None
        if run.module is not None:
            return self._missing_module(simple.folder, run.module)
        assert run.script is not None
        path = path_of(simple, run.script)
        if path is None or "://" in run.script or (self._root / path).exists():
            return None
        is_searched = "/" not in run.script and (program in SHELLS or program == run.script)
        if is_searched and shutil.which(run.script) is not None:
            return None
        return path if path.endswith(SCRIPTS) or "/" in path else None

    def script(self, simple: Simple) -> Path | None:
        """The script of Python that a command runs, or one that installs packages; None for
        anything else, which may write any file.
        """
        words = _certain(simple.words)
        run = ran(_with_words(simple, words)) if words else None
        if not words or run is None or not _PLAIN.match(words[0]):
            return None
        if run.module is not None:
            return self._root if run.module in _INSTALLS else None
        path = path_of(simple, run.script or "")
        return None if path is None else self._root / path

    def _missing_recipes(self, folder: str, words: Sequence[str]) -> str | None:
        if any(word.startswith("-") or "=" in word for word in words):
            return None
        program, home = posixpath.basename(words[0]), self._root / folder
        if program in _NEEDED:
            names = _NEEDED[program]
            return None if any((home / name).exists() for name in names) else names[-1]
        above = [home, *home.resolve().parents]  # `just` looks there too
        recipes = frozenset(justfile.lower() for justfile in JUSTFILES)
        return None if any(_holds(path, recipes) for path in above) else JUSTFILES[0]

    def _missing_module(self, folder: str, module: str) -> str | None:
        """A module that its package, which is here, does not hold. Other packages are installed,
        and a folder without `__init__.py` may be one part of a package of several.
        """
        parts = module.split(".")
        home = self._root / folder
        if len(parts) < 2 or not all(map(str.isidentifier, parts)):
            return None
        if self._has_search_path or not _is_whole(home / parts[0]):
            return None
        inside = home.joinpath(*parts)
        if any(inside.parent.glob(f"{parts[-1]}.*")) or inside.is_dir():
            return None
        return f"{'/'.join(parts)}.py"


def _holds(folder: Path, names: frozenset[str]) -> bool:
    try:
        return any(path.name.lower() in names for path in folder.iterdir())
    except OSError:
        return True  # nobody can tell


def _is_whole(package: Path) -> bool:
    """Whether nothing but this folder holds modules of the package."""
    start = package / "__init__.py"
    return start.is_file() and "__path__" not in _text(start)


def _with_words(simple: Simple, words: Sequence[str]) -> Simple:
    return msgspec.structs.replace(simple, words=tuple(words))


def _certain(words: Sequence[str]) -> list[str]:
    """The words of the program that is run at last, if it is certain that it runs in the folder of
    the command and reads its first words as it usually does; else none.
    """
    rest = list(words)
    while rest:
        if re.fullmatch(r"\w+=.*", rest[0]):
            rest = rest[1:]
            continue
        first = posixpath.basename(rest[0])
        name = first if first in _OPTIONS else " ".join([first, *rest[1:2]])
        if name not in _OPTIONS:
            break
        rest = rest[len(name.split()) :]
        known = _OPTIONS[name]
        while rest and rest[0].startswith("-"):
            option, has_value, _ = rest[0].partition("=")
            if option not in known:
                return []
            rest = rest[2 if known[option] and not has_value else 1 :]
    return rest if rest and _is_read_as_usual(rest) else []


def _is_read_as_usual(words: Sequence[str]) -> bool:
    """Whether the first words of a program say what it runs, and where."""
    first = posixpath.basename(words[0])
    options = _leading_options(words[1:])
    if _PLAIN.match(words[0]):
        return all(option in _HARMLESS or option == "-m" for option in options)
    if first in SHELLS:
        return all(re.fullmatch(r"-[euxo]+", option) for option in options)
    if first in _LAUNCHERS:
        return not any(_REACHES.search(word) for word in words)
    if first == "jupyter":
        # Of several notebooks one may be written; another may be a value.
        named = [word for word in words if word.endswith(".ipynb")]
        return len(named) == 1 and not named[0].startswith("-") and not _is_output(words, named[0])
    if first == "papermill":
        return not options
    return first in (*_NEEDED, "just") or words[0].endswith(SCRIPTS)


def _is_output(words: Sequence[str], name: str) -> bool:
    return words[words.index(name) - 1] in ("--output", "--template")


def _leading_options(words: Sequence[str]) -> list[str]:
    options: list[str] = []
    for word in words:
        if not word.startswith("-"):
            break
        options.append(word)
        if word == "-m":
            break
    return options
