"""Command lines as a shell would split them: which script runs where, and what is redirected.

This is no shell. What it cannot follow (`$variable`, a function, a condition) it calls unknown.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

import msgspec

MAX_COMMAND = 20_000
_MAX_VARIABLES = 50
_MAX_VALUE = 1000
"""Of what is put into words: text that doubles with every line must not grow without end."""
SCRIPTS = (".py", ".sh", ".bash", ".R", ".r", ".jl", ".ipynb")
_SEPARATORS = frozenset({";", "&&", "||", "|", "&", ";;", "(", ")", "|&"})
_RESERVED = frozenset({"if", "then", "else", "elif", "fi", "do", "done", "while", "!", "{", "}"})
_PREFIXES = {
    "env": (), "time": (), "nohup": (), "exec": (), "sudo": (), "nice": (), "command": (),
    "uv": ("run",), "poetry": ("run",), "pipenv": ("run",), "pdm": ("run",), "hatch": ("run",),
    "rye": ("run",), "pixi": ("run",), "micromamba": ("run",), "conda": ("run",),
    "coverage": ("run",), "xvfb-run": (),
}  # fmt: skip
"""What runs the rest of its words, with the word that says so."""
_WITH_VALUE = frozenset(
    "-n --name -p --prefix --with --extra --group --env-file --python -e --env".split()
)
_LAUNCHERS = frozenset("torchrun accelerate deepspeed horovodrun mpirun srun".split())
SHELLS = frozenset({"sh", "bash", "zsh", "dash"})
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_INTERPRETERS = re.compile(r"(?:.*/)?(?:i?python[0-9.]*|pypy[0-9.]*|Rscript|julia|papermill)$")
_PUBLISHES = re.compile(
    r"(?:^|\s)(?:cml|twine|gto)\s|(?:^|\s)git\s+(?:push|commit|tag)|docker\s+push"
    r"|huggingface-cli\s+upload|aws\s+s3\s+(?:sync|cp|mv)|gsutil|mlflow\s+(?:models|server|ui)"
    r"|(?:^|\s)dvc\s+push|kubectl|terraform|sam\s+deploy"
)


class Simple(msgspec.Struct, frozen=True, kw_only=True):
    """One command of a line: its words, the files it is redirected to and from, and the folder it
    runs in (None if nobody knows). `is_conditional`: another command decides whether it runs.
    `sets` are the variables that stand before it, as they do: `A=b`.
    """

    words: tuple[str, ...]
    folder: str | None = ""
    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    is_conditional: bool = False
    sets: tuple[str, ...] = ()


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What a command runs: a script or a module of Python with its arguments."""

    script: str | None = None
    module: str | None = None
    arguments: tuple[str, ...] = ()


def commands(line: str, folder: str = "", known: Mapping[str, str] | None = None) -> list[Simple]:
    """The commands of a line or of several, in order. Nothing if a shell could not read it. The
    values of variables are put in where they are `known` or set in a line before.
    """
    if len(line) > MAX_COMMAND:
        return []
    simples: list[Simple] = []
    is_conditional = False
    here: str | None = folder
    values = dict(known or {})
    for command in _lines(line):
        for words in _split(command):
            if words and words[0] in ("||", "&&"):
                is_conditional = words[0] == "||" or is_conditional
                continue
            words = [_put_in(word, values) for word in words]
            _set(words, values)
            simple = _simple(words, here, is_conditional)
            if simple is None:
                continue
            simples.append(simple)
            is_conditional |= simple.words[0] in ("test", "[", "[[") or words[0] == "if"
            here = None if here is None else _changed(simple, here)
    return simples


def ran(simple: Simple) -> Ran | None:
    """The script or module that a command runs, as it names it; None if it runs none."""
    words = without_prefixes(list(simple.words))
    if not words:
        return None
    first = posixpath.basename(words[0])
    if first in SHELLS:
        return _first_script(words[1:])
    if first in _LAUNCHERS:
        return _launched(words[1:])
    if _INTERPRETERS.match(words[0]):
        return _interpreted(words[1:])
    if first == "jupyter":
        notebook = next((word for word in words if word.endswith(".ipynb")), None)
        return None if notebook is None else Ran(script=notebook)
    if words[0].endswith(SCRIPTS):
        return Ran(script=words[0], arguments=tuple(words[1:]))
    return None


def path_of(simple: Simple, name: str) -> str | None:
    """A name of a command as a path from the root; None if that is not known."""
    if (
        simple.folder is None
        or any(sign in name for sign in "$`*?[{")
        or name.startswith(("/", "~"))
    ):
        return None
    path = posixpath.normpath(posixpath.join(simple.folder, name))
    return None if path.startswith("..") else path


def publishes(command: str) -> bool:
    """Whether a command sends something away: nothing to run for a look at a model."""
    return _PUBLISHES.search(command) is not None


def options(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Arguments as options by their name (`model_path` for `--model-path`, Hydra's `a.b=c` and a
    bare flag included) and the rest in order.
    """
    named: dict[str, str] = {}
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        name, sign, value = word.partition("=")
        if word.startswith("-") and len(word) > 1:
            if not sign:
                is_flag = not waiting or (waiting[0].startswith("-") and len(waiting[0]) > 1)
                value = "true" if is_flag else waiting.pop(0)
            named[name.lstrip("-").replace("-", "_")] = value
        elif sign and re.fullmatch(r"\+*[\w./@-]+", name):
            named[name.lstrip("+")] = value
        else:
            rest.append(word)
    return named, rest


def _put_in(word: str, values: Mapping[str, str]) -> str:
    """A word with the variables whose values are known; `A=$B` stays what it sets."""
    if not 0 < word.count("$") <= _MAX_VARIABLES or not values:
        return word
    shown = _VARIABLE.sub(lambda match: values.get(match[1] or match[2], match[0]), word)
    return shown if len(shown) <= MAX_COMMAND else word


def _set(words: Sequence[str], values: dict[str, str]) -> None:
    """Note the variables that a line sets for those after it; of one that only a shell could tell,
    nothing is known any more.
    """
    rest = words[1:] if words[:1] == ["export"] else words
    assigned = [re.fullmatch(r"(\w+)=(.*)", word, re.DOTALL) for word in rest]
    if not all(assigned):
        return
    for match in assigned:
        assert match is not None
        if set(match[2]) & set("$`") or len(match[2]) > _MAX_VALUE:
            values.pop(match[1], None)
        else:
            values[match[1]] = match[2]


def _lines(text: str) -> Iterator[str]:
    joined = re.sub(r"\\\n\s*", " ", text)
    for line in joined.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line


def _split(line: str) -> Iterator[list[str]]:
    """The words of each command, and `&&` and `||` between them."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>()")
    lexer.commenters = "#"
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        for word in lexer:
            if word in _SEPARATORS:
                yield words
                words = []
                if word in ("&&", "||"):
                    yield [word]
            else:
                words.append(word)
    except ValueError:  # a quote that is not closed
        return
    yield words


def _simple(words: list[str], folder: str | None, is_conditional: bool) -> Simple | None:
    kept: list[str] = []
    writes: list[str] = []
    reads: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word in (">", ">>", ">|", "&>", ">&") and waiting:
            writes.append(waiting.pop(0))
            if kept and kept[-1] in ("1", "2"):
                kept.pop()
        elif word == "<" and waiting:
            reads.append(waiting.pop(0))
        elif not set(word) <= set("<>&"):
            kept.append(word)
    sets: list[str] = []
    while kept and (kept[0] in _RESERVED or re.fullmatch(r"\w+=.*", kept[0])):
        word = kept.pop(0)
        sets += [] if word in _RESERVED else [word]
    if not kept:
        return None
    return Simple(
        words=tuple(kept),
        folder=folder,
        writes=tuple(name for name in writes if not name.startswith("/dev/") and name != "1"),
        reads=tuple(reads),
        is_conditional=is_conditional,
        sets=tuple(sets),
    )


def _changed(simple: Simple, folder: str) -> str | None:
    """The folder after a command."""
    if simple.words[0] not in ("cd", "pushd"):
        return folder
    there = path_of(simple, simple.words[1]) if len(simple.words) > 1 else None
    return "" if there == "." else there


def without_prefixes(words: list[str]) -> list[str]:
    """The words after `env A=b`, `uv run --extra x`, `conda run -n x`."""
    while words:
        first = posixpath.basename(words[0])
        if re.fullmatch(r"\w+=.*", words[0]):
            words = words[1:]
            continue
        if first not in _PREFIXES:
            return words
        needed = _PREFIXES[first]
        if needed and words[1:2] != list(needed):
            return words
        words = words[1 + len(needed) :]
        while words and words[0].startswith("-"):
            has_value = words[0] in _WITH_VALUE
            words = words[2 if has_value else 1 :]
    return words


def _first_script(words: list[str]) -> Ran | None:
    for n, word in enumerate(words):
        if word == "-c":
            return None
        if not word.startswith("-"):
            return Ran(script=word, arguments=tuple(words[n + 1 :]))
    return None


def _launched(words: list[str]) -> Ran | None:
    for n, word in enumerate(words):
        if word.endswith(".py"):
            return Ran(script=word, arguments=tuple(words[n + 1 :]))
    return None


def _interpreted(words: list[str]) -> Ran | None:
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "-m" and waiting:
            module = waiting.pop(0)
            if module in ("torch.distributed.launch", "torch.distributed.run", "accelerate"):
                return _launched(waiting)
            return Ran(module=module, arguments=tuple(waiting))
        if word in ("-c", "-"):
            return None
        if word in ("-W", "-X") and waiting:
            waiting.pop(0)
        elif not word.startswith("-"):
            return Ran(script=word, arguments=tuple(waiting))
    return None
