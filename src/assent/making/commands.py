"""Which files a command mentions, by its text alone.

A shell can name a file in more ways than can be read. What may be a name counts as one: an input
too many trains once more, an input too few would call another model the same.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from itertools import accumulate, pairwise

SCRIPTS = (".py", ".sh", ".R", ".r", ".jl", ".ipynb", ".js", ".pl", ".rb")
_WRITING = frozenset({">", ">>", ">|", "&>", "&>>", ">&", "<>", "tee"})
"""The word after it is where output goes."""
_RECIPES = {
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "gmake": ("Makefile", "makefile", "GNUmakefile"),
    "just": ("justfile", "Justfile", ".justfile"),
}
"""Programs whose recipes are what is run."""
_PIECE = re.compile(r"[^\s'\"=,:;|&()<>`]+")
_FOLDERS = frozenset({"cd", "pushd", "-C"})


def mentioned(command: str | None) -> tuple[str, ...]:
    """The names that a command mentions, relative to where it starts, but for those that it sends
    its output to: `python fit.py --config=a.yaml` gives `python`, `fit.py`, `--config=a.yaml`,
    `a.yaml` and `--config`. After `cd sub` they may be below `sub`.
    """
    words, written = _words(command or "")
    pieces = [piece for word in words for piece in (word, *_PIECE.findall(word))]
    for before, word in pairwise(words):
        if before == "-m":
            module = word.replace(".", "/")
            pieces += [f"{module}.py", f"{module}/__main__.py", f"{module}/__init__.py"]
    for word in words:
        pieces += [*_RECIPES.get(posixpath.basename(word), ()), f"{word}/__main__.py"]
    folders = list(accumulate(_folders(words, command or ""), posixpath.join))
    names = [*pieces, *(f"{folder}/{piece}" for folder in folders for piece in pieces)]
    usable = (one for one in names if one and "\0" not in one and not one.startswith("/"))
    normal = (posixpath.normpath(one) for one in usable)
    return tuple(
        dict.fromkeys(one for one in normal if not one.startswith("..") and one not in written)
    )


def _folders(words: list[str], command: str) -> list[str]:
    """Where a command goes, and where Python looks for its modules."""
    went = [word for before, word in pairwise(words) if before in _FOLDERS]
    return [*went, *re.findall(r"PYTHONPATH=([^\s:;'\"]+)", command)]


def _words(command: str) -> tuple[list[str], frozenset[str]]:
    """The words of a command, and those that it writes to."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="><|&;()")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        all_words = list(lexer)
    except ValueError:  # a quote that is not closed
        all_words = command.split()
    words: list[str] = []
    written: list[str] = []
    is_written = False
    for word in all_words:
        (written if is_written and word[:1] != "-" else words).append(word)
        is_written = word in _WRITING or (is_written and word[:1] == "-")
    return words, frozenset(map(posixpath.normpath, written)) - {
        posixpath.normpath(w) for w in words
    }
