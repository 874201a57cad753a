"""Patterns of `assent.yaml` and what they name, by their text alone."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import PurePosixPath

UNMATCHED = frozenset({".git", ".assent", "__pycache__"})
"""Names that no pattern matches: what Git, Assent and Python write for themselves."""

Rule = re.Pattern[str] | None
"""What one name of a path must look like; None is `**`, any number of names."""

EVERYTHING: tuple[Rule, ...] = (None, re.compile(""))
"""What fits every path."""


def covers(pattern: str, name: str) -> bool:
    """Whether `pattern` names the file called `name`, both relative to one folder, by their text
    alone: a pattern without a glob is that file, or a folder and everything below it.
    """
    names = PurePosixPath(name).parts
    parts = PurePosixPath(pattern).parts
    if not UNMATCHED.isdisjoint(names) or not parts:
        return not parts and UNMATCHED.isdisjoint(names)
    if names[: len(parts)] == parts:
        return True
    if not is_glob(pattern):
        return False
    places = past_stars({0}, rules := rules_of((*parts, "**") if pattern.endswith("/") else parts))
    for part in names:
        places = next_places(places, rules, part)
    return len(rules) in places


def relates(pattern: str, name: str) -> bool:
    """Whether what `pattern` names may be the file or folder `name`, lie in it, or hold it."""
    if covers(pattern, name) or covers(name, pattern):
        return True
    places = past_stars({0}, rules := rules_of(PurePosixPath(pattern).parts or ("**",)))
    for part in PurePosixPath(name).parts:
        places = next_places(places, rules, part)
    return bool(places)


def is_glob(pattern: str) -> bool:
    """Whether a pattern names what it fits, and not one file or folder."""
    return any(sign in pattern for sign in "*?[")


def base_of(pattern: str) -> str:
    """The folders that a pattern begins with, or the whole of it if it is no glob; empty if there
    are none.
    """
    parts = PurePosixPath(posixpath.normpath(pattern)).parts
    fixed = next((n for n, part in enumerate(parts) if is_glob(part)), len(parts))
    return str(PurePosixPath(*parts[:fixed])) if fixed else ""


@lru_cache(maxsize=4096)
def rules_of(names: tuple[str, ...]) -> tuple[Rule, ...]:
    """The rules of a glob's names. `**` at the end stands for at least one name."""
    rules = [None if name == "**" else re.compile(fnmatch.translate(name)) for name in names]
    return (*rules, re.compile("")) if names[-1] == "**" else tuple(rules)


def next_places(places: set[int], rules: Sequence[Rule], name: str) -> set[int]:
    """The places in `rules` that one more name reaches; none if it does not fit. Keeping all of
    them takes no more than names times rules, whatever the pattern.
    """
    reached: set[int] = set()
    for place in places:
        if place < len(rules):
            rule = rules[place]
            if rule is None:
                reached.add(place)
            elif rule.match(name):
                reached.add(place + 1)
    return past_stars(reached, rules)


def past_stars(places: set[int], rules: Sequence[Rule]) -> set[int]:
    """The places, and those after each `**` that stands for nothing."""
    for place in sorted(places):
        after = place
        while after < len(rules) and rules[after] is None:
            after += 1
            places.add(after)
    return places
