"""What a change does to rules, in words: `approvals.count` is `2` instead of `1`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

_SUBJECT = ("metric", "slice", "predictions", "data", "column", "between", "model", "param")
"""What a gate is on: the rest of it says what is asked of that."""
_ENGINES = {"duckdb": "DuckDB", "spark": "Spark"}


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """One sentence for each value that differs between two settings: None is one that is not set.
    Settings are compared key by key, lists of names name by name.
    """
    if old == new:
        return
    if path == "gates":
        yield from _gates(old or [], new or [])
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif _is_of_names(old) and _is_of_names(new):
        yield _names(old, new, path)
    else:
        yield _sentence(old, new, path)


def _sentence(old: Any, new: Any, path: str) -> str:
    if old is None:
        return f"{_code(path)} is set to {_value(new)}"
    if new is None:
        return f"{_code(path)} is not set any more; it was {_value(old)}"
    if path.endswith(".engine") and {old, new} <= set(_ENGINES):
        what = path.removesuffix(".engine")
        return f"{_code(what)} is counted by {_ENGINES[new]} instead of {_ENGINES[old]}"
    return f"{_code(path)} is {_value(new)} instead of {_value(old)}"


def _is_of_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def _names(old: Sequence[str], new: Sequence[str], path: str) -> str:
    gone = [name for name in old if name not in new]
    added = [name for name in new if name not in old]
    parts = [f"no longer has {_listed(gone)}"] if gone else []
    parts += [f"now has {_listed(added)}"] if added else []
    return f"{_code(path)} {' and '.join(parts) or 'is in another order'}"


def _gates(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Gates that are gone, that are new, and what is asked otherwise of what one is on."""
    gone, added = _without(old, new), _without(new, old)
    if not gone and not added:
        yield "the gates are in another order"
    for gate in gone:
        subject = _subject(gate)
        others = [other for other in added if _subject(other) == subject]
        is_one = len(others) == 1 and sum(_subject(other) == subject for other in gone) == 1
        if not is_one:
            yield f"the gate {_gate(gate)} is gone"
            continue
        added.remove(others[0])
        asked = [
            sentence
            for key in sorted(gate.keys() | others[0].keys())
            if gate.get(key) != others[0].get(key)
            for sentence in differences(gate.get(key), others[0].get(key), key)
        ]
        yield f"the gate on {_gate(subject)}: {'; '.join(asked)}"
    for gate in added:
        yield f"the gate {_gate(gate)} is new"


def _without(gates: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]]) -> list[Any]:
    """The gates that are none of `others`: of equal ones, as many as are left."""
    left = [*others]
    kept = []
    for gate in gates:
        if gate in left:
            left.remove(gate)
        else:
            kept.append(gate)
    return kept


def _subject(gate: Mapping[str, Any]) -> dict[str, Any]:
    return {key: gate[key] for key in _SUBJECT if key in gate}


def _gate(gate: Mapping[str, Any]) -> str:
    told = {**_subject(gate), **gate}
    return _code(", ".join(f"{key} {_plain(value)}" for key, value in told.items()))


def _value(value: Any) -> str:
    return _code(_plain(value))


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_code, names))


def _code(text: str) -> str:
    """A name as code: a backtick in it would end that, and an empty one shows nothing."""
    shown = text.replace("`", "\\u0060") or '""'
    return f"`{shown}`"
