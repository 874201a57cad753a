"""Which files a command mentions, by its text alone.

A shell can name a file in more ways than can be read. What may be a name counts as one: an input
too many trains once more, an input too few would call another model the same.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

import msgspec

from assent.making.command_outputs import NOTEBOOK, wrote
from assent.measure.patterns import is_glob

SCRIPTS = (".py", ".sh", ".R", ".r", ".jl", NOTEBOOK, ".js", ".pl", ".rb")
_WRITING = frozenset({">", ">>", ">|", "&>", "&>>", ">&", "<>", "tee"})
"""The word after it is where output goes."""
_SEPARATORS = frozenset(";&|()")
_RECIPES = {
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "gmake": ("Makefile", "makefile", "GNUmakefile"),
    "just": ("justfile", "Justfile", ".justfile"),
}
"""Programs whose recipes are what is run."""
_PIECE = re.compile(r"[^\s'\"=,:;|&()<>`]+")
_FOLDERS = frozenset(
    "cd pushd -C -D -p -w -wd -wdir --wdir --directory --chdir --cwd --workdir --working-dir "
    "--project --project-dir".split()
)
_ELSEWHERE = frozenset(
    "pdm pixi hatch rye docker podman ssh srun sbatch mpirun singularity apptainer kubectl".split()
)
_GROUPS = frozenset({"(", ")", "{", "}", "((", "))"})
_SHELLS = frozenset({"sh", "bash", "zsh", "dash"})
_UNKNOWN = "\x01"
"""Stands for what a variable holds that nobody knows."""
_MOST, _DEEPEST = 256, 5
_ASSIGNED = re.compile(r"(?:^|[\s;&|({])(\w+)=(\"[^\"]*\"|'[^']*'|[^\s;&|()]*)")
_LOOP = re.compile(r"\bfor\s+(\w+)\s+in\s+([^;\n]+)")
_VARIABLE = re.compile(r"\$(\w+|[@*#?$!-])|\$\{(\w+)([^{}]*)\}")
_OUTPUT_OF = re.compile(r"\$\(([^()]*)\)|`([^`]*)`")
_HERE = re.compile(r"\$\(\s*pwd\s*\)|`\s*pwd\s*`|\$PWD\b|\$\{PWD\}")
_BRACES = re.compile(r"\{([^{}\s]*,[^{}\s]*)\}")


class Mentions(msgspec.Struct, frozen=True, kw_only=True):
    """What a command mentions, relative to where it starts: `named` are names and globs that it
    may read, `written` the files that it says it writes and reads nowhere else, and `rerun` the
    notebooks that it executes in place.
    """

    named: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    rerun: tuple[str, ...] = ()


def mentioned(command: str | None, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The names that a command mentions, but for those that it says it writes:
    `python fit.py --config=a.yaml` gives `python`, `fit.py`, `--config=a.yaml`, `a.yaml` and
    `--config`. After `cd sub` they may be below `sub`. A variable has the values that the command
    gives it, or that of `environ`; what holds an unknown one is a glob.
    """
    return mentions(command, environ).named


def mentions(command: str | None, environ: Mapping[str, str] | None = None) -> Mentions:
    """What a command mentions and what it says it writes, with the variables of `environ`."""
    known = environ or {}
    asked = {
        name for groups in _VARIABLE.findall(command or "") for name in groups[:2] if name in known
    }
    return _mentions(command or "", tuple((name, known[name]) for name in sorted(asked)))


@lru_cache(maxsize=256)
def _mentions(command: str, environ: tuple[tuple[str, str], ...]) -> Mentions:
    command = _HERE.sub(".", command.replace("\\\n", " "))
    texts = list(_run_by(command))
    values = _values(command, environ)
    readings = [_read(expanded) for text in texts for expanded in _expanded(text, values)]
    named = dict.fromkeys(name for reading in readings for name in reading.named)
    read = {name for reading in readings for name in reading.read}
    written_names = dict.fromkeys(
        name for reading in readings for name in reading.written if name not in read
    )
    written = tuple(name for name in written_names if _is_plain(name))
    return Mentions(
        named=tuple(name for name in named if name not in written),
        written=written,
        rerun=tuple(dict.fromkeys(name for reading in readings for name in reading.rerun)),
    )


class _Simple(msgspec.Struct, frozen=True):
    """One command of a line, the files that it is redirected to, and the folder it starts in; None
    if that is not certain.
    """

    words: list[str]
    targets: list[str]
    folder: str | None


class _Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one text without variables may name, which of that it may read, and what it writes."""

    named: list[str]
    read: frozenset[str]
    written: list[str]
    rerun: list[str]


def _run_by(command: str) -> Iterator[str]:
    """The command, and the commands in it whose output it takes: `$(cat names.txt)`."""
    for _ in range(_DEEPEST):
        inner = [first or second for first, second in _OUTPUT_OF.findall(command)]
        if not inner:
            break
        yield from inner
        command = _OUTPUT_OF.sub(_UNKNOWN, command)
    yield command


def _values(command: str, environ: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    """All values that each variable may have."""
    values: dict[str, list[str]] = {name: [value] for name, value in environ}
    for name, value in _ASSIGNED.findall(command):
        values.setdefault(name, []).append(value.strip("'\""))
    for name, words in _LOOP.findall(command):
        values.setdefault(name, []).extend(words.split())
    return values


def _expanded(text: str, values: Mapping[str, Sequence[str]]) -> list[str]:
    """A text with each variable replaced by each of its values."""
    texts = [text]
    for _ in range(_DEEPEST):
        grown: list[str] = []
        for partly in texts:
            grown += _replaced(partly, values)
        texts = list(dict.fromkeys(grown))
        if not any(_VARIABLE.search(text) for text in texts):
            return texts
        if len(texts) > _MOST:
            break
    return [_VARIABLE.sub(_UNKNOWN, text) for text in texts]


def _replaced(text: str, values: Mapping[str, Sequence[str]]) -> list[str]:
    """A text with its variables replaced, one after the other, as often as it has values."""
    texts = [""]
    end = 0
    for match in _VARIABLE.finditer(text):
        choices = _choices(match, values)
        if len(texts) * len(choices) > _MOST:
            choices = [_UNKNOWN]
        before = text[end : match.start()]
        texts = [f"{start}{before}{choice}" for start in texts for choice in choices]
        end = match.end()
    return [start + text[end:] for start in texts]


def _choices(match: re.Match[str], values: Mapping[str, Sequence[str]]) -> list[str]:
    plain, braced, operation = match.groups()
    choices = [*values.get(plain or braced, ())]
    operation = operation or ""
    if operation.startswith((":-", ":=", "-", "=")):
        choices.append(operation.lstrip(":").lstrip("-="))
    elif operation:
        choices = []  # `${NAME%.yaml}` and its like
    return list(dict.fromkeys(choices)) or [_UNKNOWN]


def _read(command: str, depth: int = 0) -> _Reading:
    """What one text without variables mentions."""
    simple = _simple_commands(command)
    words = [word for part in simple for word in part.words]
    folders = _folders(words, command)
    told = [(part, wrote(part.words)) for part in simple]
    quoted = [n for n, word in enumerate(words) if " " in word] if depth < _DEEPEST else []
    inner = [_read(words[n], depth + 1) for n in quoted]
    run = (
        []
        if folders
        else [reading for n, reading in zip(quoted, inner, strict=True) if _runs(words, n)]
    )
    kept = [
        word
        for part, written in told
        for number, word in enumerate(part.words)
        if number not in written.words
    ]
    pieces = [*(piece for word in words for piece in _pieces(word)), *_run_with(words)]
    inside = [name for reading in inner for name in reading.named]
    return _Reading(
        named=_below([*pieces, *inside], folders),
        read=frozenset(_below([piece for word in kept for piece in _pieces(word)], folders)).union(
            *(reading.read for reading in inner)
        ),
        written=[
            *(
                posixpath.normpath(posixpath.join(part.folder, name))
                for part, written in told
                if part.folder is not None
                for name in (*part.targets, *written.files)
            ),
            *(name for reading in run for name in reading.written),
        ],
        rerun=[
            *(
                posixpath.normpath(posixpath.join(part.folder, name))
                for part, written in told
                if part.folder is not None
                for name in written.rerun
            ),
            *(name for reading in run for name in reading.rerun),
        ],
    )


def _runs(words: Sequence[str], number: int) -> bool:
    """Whether a word is a command that a shell runs: `bash -c '…'`."""
    programs = {posixpath.basename(word) for word in words[:number]}
    return not _SHELLS.isdisjoint(programs) and bool(re.fullmatch(r"-\w*c", words[number - 1]))


def _run_with(words: Sequence[str]) -> Iterator[str]:
    """The files that are run without being named: modules, recipes, packages."""
    for before, word in pairwise(words):
        if before == "-m":
            yield from _module(word)
    for word in words:
        if re.fullmatch(r"-m[\w.]+", word):
            yield from _module(word[2:])
        yield from _RECIPES.get(posixpath.basename(word), ())
        yield f"{word}/__main__.py"


def _pieces(word: str) -> list[str]:
    """A word and what may be names in it. A quoted command is read as one."""
    return [word] if " " in word else [word, *_PIECE.findall(word)]


def _module(name: str) -> list[str]:
    path = name.replace(".", "/")
    return [f"{path}.py", f"{path}/__main__.py", f"{path}/__init__.py"]


def _below(pieces: Sequence[str], folders: Sequence[str]) -> list[str]:
    """What may be names, relative to where a command starts, or below a folder it goes to."""
    names = [*pieces, *(f"{folder}/{piece}" for folder in folders for piece in pieces)]
    known = (_as_glob(name) for name in names if name and "\0" not in name)
    usable = (posixpath.normpath(name) for name in known if name and not name.startswith("/"))
    return list(dict.fromkeys(name for name in usable if not name.startswith("..")))


def _as_glob(name: str) -> str:
    """A name as a pattern where it holds what is not known; empty if it says too little."""
    glob = re.sub(rf"^{_UNKNOWN}/", "**/", name).replace(_UNKNOWN, "*")
    return "" if is_glob(glob) and not re.search(r"\w", glob) else glob


def _is_plain(name: str) -> bool:
    """Whether a name may be that of a file that a command writes, code apart."""
    if is_glob(name) or _UNKNOWN in name or name.startswith(("/", "..")):
        return False
    return name.endswith(NOTEBOOK) or not name.endswith(SCRIPTS)


def _folders(words: Sequence[str], command: str) -> list[str]:
    """Where a command goes, and where Python looks for its modules."""
    went = [word for before, word in pairwise(words) if before in _FOLDERS]
    for word in words:
        option, sign, value = word.partition("=")
        if sign and option in _FOLDERS:
            went.append(value)
        elif re.fullmatch(r"-C[\w./]+", word):
            went.append(word[2:])
    searched = re.findall(r"PYTHONPATH=([^\s;'\"]+)", command)
    went += [folder for path_list in searched for folder in path_list.split(":") if folder]
    return list(dict.fromkeys([*accumulate(went, posixpath.join), *went]))


def _simple_commands(command: str) -> list[_Simple]:
    """The commands of a line."""
    all_words, is_as_shell = _words(command)
    simples: list[_Simple] = []
    words: list[str] = []
    targets: list[str] = []
    here: str | None = "" if is_as_shell else None
    is_target, before = False, ";"
    for word in [*all_words, ";"]:
        if is_target and word[:1] != "-":
            targets += [posixpath.normpath(name) for name in _braced(word)]
        elif word and set(word) <= _SEPARATORS:
            simples.append(_Simple(words, targets, None if _goes(words) else here))
            is_certain = not _GROUPS & {*all_words} and {before, word} <= {";", "&&"}
            here = _after(words, here, is_certain=is_certain)
            words, targets, before = [], [], word
        else:
            words += _braced(word)
        is_target = word in _WRITING or (is_target and word[:1] == "-")
    return [simple for simple in simples if simple.words or simple.targets]


def _words(command: str) -> tuple[list[str], bool]:
    """The words of a command, each line ended by `;`, and whether they are as a shell has them."""
    words: list[str] = []
    try:
        for line in command.splitlines():
            words += [*_lexed(line), ";"]
    except ValueError:  # a quote that is not closed, or not in its line
        try:
            return list(_lexed(command)), False
        except ValueError:
            return command.split(), False
    return words, True


def _lexed(text: str) -> shlex.shlex:
    lexer = shlex.shlex(text, posix=True, punctuation_chars="><|&;()")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return lexer


def _goes(words: Sequence[str]) -> bool:
    """Whether a program may go to another folder, or another machine, before it writes."""
    programs = [posixpath.basename(word) for word in words]
    if "papermill" in programs:  # its `--cwd` is where the notebook runs
        words = words[: programs.index("papermill")]
    options = {word.partition("=")[0] for word in words}
    return (
        not options.isdisjoint(_FOLDERS - {"cd", "pushd", "-p", "-w"})
        or any(re.fullmatch(r"-C[\w./]+", word) for word in words)
        or not _ELSEWHERE.isdisjoint(programs)
    )


def _after(words: Sequence[str], folder: str | None, *, is_certain: bool) -> str | None:
    """The folder after a command."""
    if folder is None or words[:1] not in (["cd"], ["pushd"], ["popd"]):
        return folder
    there = words[1] if len(words) == 2 and words[0] != "popd" and is_certain else "-"
    return None if there[:1] in ("-", "/", "~") else posixpath.join(folder, there)


def _braced(word: str) -> list[str]:
    """`conf/{a,b}.yaml` as two words."""
    words = [word]
    for _ in range(_DEEPEST):
        words = [
            f"{word[: braces.start()]}{choice}{word[braces.end() :]}" if braces else word
            for word in words
            for braces in [_BRACES.search(word)]
            for choice in (braces[1].split(",") if braces else [""])
        ][:_MOST]
    return words
