"""The gates: one rule on a diff per file, registered here in the open."""

from __future__ import annotations

from assent.policy.gates.data import DataGate
from assent.policy.gates.metric import MetricGate
from assent.policy.gates.model import ModelGate
from assent.policy.gates.param import ParamGate
from assent.policy.gates.predictions import PredictionsGate

Gate = DataGate | MetricGate | ModelGate | ParamGate | PredictionsGate

GATES: dict[
    str,
    type[DataGate] | type[MetricGate] | type[ModelGate] | type[ParamGate] | type[PredictionsGate],
] = {
    "data": DataGate,
    "metric": MetricGate,
    "model": ModelGate,
    "param": ParamGate,
    "predictions": PredictionsGate,
}
"""A gate by the key that its rule in `assent.yaml` must have."""
