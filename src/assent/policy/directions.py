"""Which way is better where the policy says so, and no name does."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from assent.core.diff import Diff
from assent.core.diff.metrics import Better, MetricChange, slice_of
from assent.policy.gates.metric import MetricGate, named_by
from assent.policy.rules import Policy


def directed(policy: Policy, diff: Diff) -> Diff:
    """The diff with the directions that the policy states: `directions` first, then `better` of
    its gates. What is stated counts more than what a name, or a file, says.
    """
    find = stated(policy)
    changes = tuple(_directed(change, find(change.name)) for change in diff.metrics)
    return msgspec.structs.replace(diff, metrics=changes)


def _directed(change: MetricChange, better: Better | None) -> MetricChange:
    if better is None or better == change.better:
        return change
    return msgspec.structs.replace(change, better=better)


def stated(policy: Policy) -> Callable[[str], Better | None]:
    """Which way is better of a metric, as far as the policy says so."""
    rules: list[tuple[str, Better]] = list(policy.directions.items())
    rules += [
        (gate.pattern, gate.better)
        for gate in policy.gates
        if isinstance(gate, MetricGate) and gate.better is not None
    ]
    exact = {name: better for name, better in reversed(rules) if "*" not in name}
    patterns = [(re.compile(named_by(name), re.DOTALL), way) for name, way in rules if "*" in name]

    def find(name: str) -> Better | None:
        of_slice = slice_of(name)
        for spelled in (name, *([] if of_slice is None else [of_slice[2]])):
            if spelled in exact:
                return exact[spelled]
        return next((way for pattern, way in patterns if pattern.fullmatch(name)), None)

    return find
