"""CODEOWNERS: who owns a path, as GitLab reads the file.

In each section the last pattern that matches decides; the owners of all sections are owners. A
section's own owners stand for patterns that name none. A pattern that starts with `!` takes a path
out of its section.
"""

from __future__ import annotations

import re

from assent.forges.codeowners import globbed, unescaped, words

_SECTION = re.compile(r"\^?\[(?P<name>[^\]]+)\](?:\[[0-9]+\])?(?:\s+(?P<owners>.*))?")
_OWNER = re.compile(r"@@[a-z]+|@[\w.-]+(?:/[\w.-]+)*|[^@\s]+@[^@\s]+")


def owners(text: str, path: str) -> tuple[str, ...]:
    """The owners of `path`: `@user`, `@group/sub`, `@@role`, or an e-mail address."""
    owners_of: dict[str, tuple[str, ...]] = {}
    excluded: set[str] = set()
    section, default = "", tuple[str, ...]()
    for line in map(str.strip, text.splitlines()):
        heading = _SECTION.fullmatch(line)
        if heading is not None:
            section = heading["name"].strip().casefold()  # sections of one name are one
            default = _owners(words(heading["owners"] or ""))
            continue
        pattern, *named = words(line) or [""]
        if not _matches(pattern.removeprefix("!"), path):
            continue
        if pattern.startswith("!"):
            excluded.add(section)
        else:
            owners_of[section] = _owners(named) or default
    kept = [owner for name, some in owners_of.items() if name not in excluded for owner in some]
    return tuple(dict.fromkeys(kept))


def _owners(named: list[str]) -> tuple[str, ...]:
    return tuple(name for name in named if _OWNER.fullmatch(name))


def _matches(pattern: str, path: str) -> bool:
    """A pattern is for the file it names, or with a slash at its end for a folder; without one at
    its start it is so at any depth.
    """
    if not pattern:
        return False
    plain = "/**/*" if pattern == "*" else unescaped(pattern)
    plain = plain if plain.startswith("/") else f"/**/{plain}"
    plain = f"{plain}**/*" if plain.endswith("/") else plain
    return re.fullmatch(globbed(plain), "/" + path.lstrip("/"), re.DOTALL) is not None
