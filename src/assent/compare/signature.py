"""What callers of a model must know: whether the new one takes and gives what the old one did.

The rule is the one of any interface that is replaced while callers stay: the new model may ask
for less and may give more, never the other way round. What asking means follows MLflow's
signature enforcement ("Model Signatures": inputs are matched by name in any order, a missing
required one is an error, an optional one may be left out) and the ONNX intermediate
representation (a dimension without a value is free). Gradient boosting reads columns by place
when it gets an array and refuses other names when it gets a table, so there the order counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from assent.core.diff.model import FieldChange, SignatureChange
from assent.core.inspection import Field, Inspection, Signature

Shape = tuple[int | None, ...] | None
_Side = Literal["input", "output"]


class _Stated(NamedTuple):
    """A signature, and whether the order of its inputs counts."""

    signature: Signature
    is_ordered: bool


def compare_signature(old: Inspection | None, new: Inspection | None) -> SignatureChange | None:
    """Both signatures as what changed for callers; None if neither model states one.

    A model without a signature that names its features is taken to need them all, in order.
    """
    before, after = _stated(old), _stated(new)
    if before is None and after is None:
        return None
    if before is None or after is None or before.is_ordered != after.is_ordered:
        return SignatureChange(verdict="unknown")
    changes = (
        *_changes("input", before.signature.inputs, after.signature.inputs, after.is_ordered),
        *_changes("output", before.signature.outputs, after.signature.outputs, after.is_ordered),
    )
    if not changes:
        return SignatureChange(verdict="same")
    is_breaking = any(change.is_breaking for change in changes)
    return SignatureChange(verdict="breaking" if is_breaking else "compatible", fields=changes)


def accepts(given: Shape, asked: Shape) -> bool:
    """Whether every array of the shape `given` is one of the shape `asked`. None is any shape, and
    a dimension of None any length.
    """
    if asked is None:
        return True
    if given is None or len(given) != len(asked):
        return False
    return all(want is None or want == have for have, want in zip(given, asked, strict=True))


def _stated(inspection: Inspection | None) -> _Stated | None:
    if inspection is None:
        return None
    if inspection.signature is not None:
        return _Stated(inspection.signature, is_ordered=False)
    features = next((part.features for part in inspection.parts if part.features), None)
    if features is None:
        return None
    inputs = tuple(Field(name=name) for name in features)
    return _Stated(Signature(inputs=inputs), is_ordered=True)


def _changes(
    side: _Side, old: Sequence[Field], new: Sequence[Field], is_ordered: bool
) -> list[FieldChange]:
    before, after = _by_name(old), _by_name(new)
    moved = _moved(list(before), list(after)) if is_ordered else frozenset()
    changes: list[FieldChange] = []
    for name in sorted(before.keys() | after.keys()):
        left, right = before.get(name), after.get(name)
        if left == right and name not in moved:
            continue
        is_breaking = name in moved or _is_breaking(side, left, right)
        field = right or left
        changes.append(
            FieldChange(
                side=side,
                name=field.name if field is not None and field.name else f"number {name[1] + 1}",
                old=left,
                new=right,
                is_breaking=is_breaking,
            )
        )
    return changes


def _by_name(fields: Iterable[Field]) -> dict[tuple[str, int], Field]:
    """Fields by name; those without one, and those that share one, by their order among them."""
    seen: Counter[str] = Counter()
    by_name: dict[tuple[str, int], Field] = {}
    for field in fields:
        by_name[field.name, seen[field.name]] = field
        seen[field.name] += 1
    return by_name


def _moved(
    old: Sequence[tuple[str, int]], new: Sequence[tuple[str, int]]
) -> frozenset[tuple[str, int]]:
    """The names whose place among the names of both sides is another one."""
    both = set(old) & set(new)
    left = [name for name in old if name in both]
    right = [name for name in new if name in both]
    return frozenset(name for name, other in zip(left, right, strict=True) if name != other)


def _is_breaking(side: _Side, old: Field | None, new: Field | None) -> bool:
    if old is None:
        return side == "input" and new is not None and not new.is_optional
    if new is None or old.type != new.type:
        return True
    if side == "input":
        asks_more = old.is_optional and not new.is_optional
        return asks_more or not accepts(old.shape, new.shape)
    gives_less = new.is_optional and not old.is_optional
    return gives_less or not accepts(new.shape, old.shape)
