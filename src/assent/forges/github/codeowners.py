"""CODEOWNERS: who owns a path, as GitHub reads the file.

The last pattern that matches decides, also when it names nobody. Patterns are those of
`.gitignore` without `!` and `[ ]`; a line that GitHub would skip is skipped.
"""

from __future__ import annotations

import re

from assent.forges.codeowners import globbed, unescaped, words


def owners(text: str, path: str) -> tuple[str, ...]:
    """The owners of `path` (`@user`, `@org/team`, or an e-mail address) in the file's order."""
    owned_by: tuple[str, ...] = ()
    for line in text.splitlines():
        pattern, *named = words(line) or [""]
        if not pattern:
            continue
        if _is_unsupported(pattern) or not all(_is_owner(name) for name in named):
            continue
        if _compiled(pattern).fullmatch(path.lstrip("/")):
            owned_by = tuple(named)
    return owned_by


def _is_unsupported(pattern: str) -> bool:
    return pattern.startswith("!") or "[" in pattern or "]" in pattern


def _is_owner(name: str) -> bool:
    return re.fullmatch(r"@[\w.-]+(?:/[\w.-]+)?|[^@\s]+@[^@\s]+", name) is not None


def _compiled(pattern: str) -> re.Pattern[str]:
    plain = unescaped(pattern)
    is_folder = plain.endswith("/")
    body = plain.strip("/")
    is_anchored = plain.startswith("/") or "/" in body
    before = "" if is_anchored else "(?:.*/)?"
    if is_folder:
        after = "/.*"
    elif body.endswith("/*"):
        after = ""  # on GitHub `docs/*` has the files of docs, not those of the folders in it
    else:
        after = "(?:/.*)?"
    return re.compile(before + globbed(body) + after, re.DOTALL)
