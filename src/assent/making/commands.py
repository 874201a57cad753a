"""Which files a command mentions, by its text alone.

A shell can name a file in more ways than can be read. What may be a name counts as one: an input
too many trains once more, an input too few would call another model the same.
"""

from __future__ import annotations

import posixpath
import re
import shlex

SCRIPTS = (".py", ".sh", ".R", ".r", ".jl", ".ipynb", ".js", ".pl", ".rb")
_WRITING = frozenset({">", ">>", ">|", "&>", "&>>", ">&", "<>", "tee"})
"""The word after it is where output goes."""
_PIECE = re.compile(r"[^\s'\"=,:;|&()<>`]+")
_FOLDER = re.compile(r"\b(?:cd|pushd|-C)\s+([^\s;&|()'\"]+)")


def mentioned(command: str | None) -> tuple[str, ...]:
    """The names that a command mentions, relative to where it starts, but for those that it sends
    its output to: `python fit.py --config=a.yaml` gives `python`, `fit.py`, `--config=a.yaml`,
    `a.yaml` and `--config`. After `cd sub` they may be below `sub`.
    """
    words, written = _words(command or "")
    pieces = [piece for word in words for piece in (word, *_PIECE.findall(word))]
    folders = _FOLDER.findall(command or "")
    names = [*pieces, *(f"{folder}/{piece}" for folder in folders for piece in pieces)]
    usable = (one for one in names if one and "\0" not in one and not one.startswith("/"))
    normal = (posixpath.normpath(one) for one in usable)
    return tuple(
        dict.fromkeys(one for one in normal if not one.startswith("..") and one not in written)
    )


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
