"""Names of tensors on two sides that wrap the same state in other names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

_MAX_WRAPPERS = 50
_DEPTH = 2
_ENOUGH = 2


def aligned(old: Collection[str], new: Collection[str]) -> Mapping[str, str]:
    """Which name on the new side is meant by one on the old, where both keep the same state under
    other words: a checkpoint has `state_dict.conv.weight` for what a file of weights calls
    `conv.weight`. Nothing if the sides have a name in common, or if what is under the words is not
    all that one side has: then it would be a guess.
    """
    if not old or not new or not set(old).isdisjoint(new):
        return {}
    befores, afters = list(_views(old)), list(_views(new))
    best: dict[str, str] = {}
    for before in befores:
        for after in afters:
            both = before.keys() & after.keys()
            is_all = len(both) >= min(len(old), len(new), len(before), len(after))
            if is_all and len(both) >= _ENOUGH and len(both) > len(best):
                best = {before[name]: after[name] for name in both}
    return best if len(best) >= min(len(old), len(new)) else {}


def _views(names: Collection[str]) -> Iterator[dict[str, str]]:
    """The names without the first words that many of them share, by what is left of them."""
    yield {name: name for name in names}
    level = [""]
    for _ in range(_DEPTH):
        wrappers = {w for start in level for w in _wrappers(names, start)}
        level = sorted(wrappers)[:_MAX_WRAPPERS]
        for start in level:
            yield {name[len(start) :]: name for name in names if name.startswith(start)}


def _wrappers(names: Collection[str], start: str) -> set[str]:
    wrappers = set()
    for name in names:
        if name.startswith(start):
            word, dot, _ = name[len(start) :].partition(".")
            if dot:
                wrappers.add(f"{start}{word}.")
    return wrappers
