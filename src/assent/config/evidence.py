"""Which evidence a gate needs, so that one that nothing can answer is an error at once."""

from __future__ import annotations

from assent.config.settings import ModelSettings
from assent.core.nearest import meant
from assent.policy.gates import Gate
from assent.policy.gates.data import DataGate
from assent.policy.gates.metric import MetricGate
from assent.policy.gates.param import ParamGate
from assent.policy.gates.predictions import PredictionsGate


def unanswerable(gate: Gate, settings: ModelSettings) -> str | None:
    """Why no candidate could pass this gate with what the model declares; None if one could."""
    match gate:
        case MetricGate() if not settings.metrics and settings.predictions is None:
            return (
                "there are gates on metrics but neither `metrics` nor `predictions`: "
                "name the files they are in"
            )
        case PredictionsGate() if settings.predictions is None:
            return "there is a gate on predictions but no `predictions`: name the file"
        case ParamGate() if not settings.params:
            return "there is a gate on parameters but no `params`: name the files they are in"
        case DataGate():
            named = (gate.data,) if gate.between is None else gate.between
            unknown = [name for name in named if name not in settings.data]
            if unknown:
                known = ", ".join(settings.data) or "none"
                close = meant(unknown[0], settings.data)
                return f"there is no data set {unknown[0]!r} ({known} under `data`){close}"
    return None
