"""What the CODEOWNERS files of all forges have in common: words, and patterns for paths."""

from __future__ import annotations

import re

_PIECES = {
    "/**/": "/(?:.*/)?",
    "**/": "(?:.*/)?",
    "/**": "/.*",
    "**": ".*",
    "*": "[^/]*",
    "?": "[^/]",
}


def words(line: str) -> list[str]:
    """The words of a line without its comment. A backslash keeps a space or a `#` in a word."""
    parts = [match.group() for match in re.finditer(r"(?:\\.|[^\s\\])+", line)]
    for place, word in enumerate(parts):
        if word.startswith("#"):
            return parts[:place]
    return parts


def unescaped(pattern: str) -> str:
    """A pattern without the backslashes that kept its spaces."""
    return re.sub(r"\\(.)", r"\1", pattern)


def globbed(pattern: str) -> str:
    """A pattern with `*`, `**` and `?` as the text of a regular expression."""
    pieces = re.split(r"(/\*\*/|\*\*/|/\*\*|\*\*|\*|\?)", pattern)
    return "".join(_PIECES.get(piece, re.escape(piece)) for piece in pieces)
