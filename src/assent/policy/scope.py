"""What the gates of a policy look at in one diff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assent.core.diff import Diff
from assent.core.diff.metrics import slice_of
from assent.core.scope import Facet, Scope
from assent.policy.gates.data import LEAKAGE, DataGate
from assent.policy.gates.metric import MetricGate, matching
from assent.policy.gates.model import ModelGate
from assent.policy.gates.predictions import PredictionsGate
from assent.policy.rules import Policy


def scope_of(policy: Policy, diff: Diff) -> Scope:
    """See `Scope`. Metrics that gates are on decide; without any the `primary` one does, else those
    of which the policy says which way is better, else the first whose direction is known.
    """
    metric_gates = [gate for gate in policy.gates if isinstance(gate, MetricGate)]
    relative = [gate for gate in metric_gates if gate.is_relative]
    data_gates = [gate for gate in policy.gates if isinstance(gate, DataGate)]
    model_gates = [gate for gate in policy.gates if isinstance(gate, ModelGate)]
    return Scope(
        deciding=tuple(_deciding(policy, metric_gates, diff)),
        bounded=tuple(_wholes(relative, diff)),
        bounded_slices=tuple(_matched(relative, diff, is_of_slice=True)),
        slices=any(
            isinstance(gate, PredictionsGate) and gate.predictions == "worse_slices"
            for gate in policy.gates
        ),
        columns=tuple(_columns(data_gates, diff)),
        rows=tuple(dict.fromkeys(gate.data for gate in data_gates if gate.rows is not None)),
        leakage=tuple(
            gate.between for gate in data_gates if gate.data == LEAKAGE and gate.between is not None
        ),
        imports=any(gate.model == "safe" for gate in model_gates),
        signature=any(gate.signature is not None for gate in model_gates),
    )


def _wholes(gates: Iterable[MetricGate], diff: Diff) -> dict[str, None]:
    """The metrics of the whole that gates are on, in their order."""
    return _matched(gates, diff, is_of_slice=False)


def _matched(gates: Iterable[MetricGate], diff: Diff, *, is_of_slice: bool) -> dict[str, None]:
    names = (change.name for gate in gates for change in matching(gate.pattern, diff))
    return dict.fromkeys(name for name in names if (slice_of(name) is not None) is is_of_slice)


def _deciding(policy: Policy, gates: Iterable[MetricGate], diff: Diff) -> list[str]:
    gated = list(_wholes(gates, diff))
    names = {metric.name for metric in diff.metrics if slice_of(metric.name) is None}
    if gated or policy.primary in names:
        return gated or [policy.primary or ""]
    stated = [name for name in policy.directions if name in names]
    known = (
        metric.name for metric in diff.metrics if metric.better is not None and metric.name in names
    )
    return stated or [name for name in known if not name.startswith("cost.")][:1]


def _columns(gates: Iterable[DataGate], diff: Diff) -> Iterator[tuple[str, str, Facet]]:
    for gate in gates:
        facets = _facets(gate)
        changes = [change for change in diff.data.changes if change.name == gate.data]
        for column in (column for change in changes for column in change.columns):
            if gate.covers(column.name, column.old_name):
                yield from ((gate.data, column.name, facet) for facet in facets)


def _facets(gate: DataGate) -> list[Facet]:
    facets: list[tuple[Facet, bool]] = [
        ("drift", gate.drift is not None),
        ("schema", gate.schema is not None),
        ("new categories", gate.new_categories in ("warn", "block")),
    ]
    return [facet for facet, is_judged in facets if is_judged]
