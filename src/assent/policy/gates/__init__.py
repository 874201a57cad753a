"""The gates: one rule on a diff per file, registered here in the open."""

from __future__ import annotations

from assent.policy.gates.metric import MetricGate
from assent.policy.gates.model import ModelGate

Gate = MetricGate | ModelGate

GATES: dict[str, type[MetricGate] | type[ModelGate]] = {
    "metric": MetricGate,
    "model": ModelGate,
}
"""A gate by the key that its rule in `assent.yaml` must have."""
