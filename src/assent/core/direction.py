"""Which way is better: known for the names in `metric_names`, otherwise to be said."""

from __future__ import annotations

import re

from assent.core.diff.metrics import Better
from assent.core.metric_names import SOURCES
from assent.core.scalar import number

_HIGHER = frozenset(name for source in SOURCES for name in source.higher.split())
_LOWER = frozenset(name for source in SOURCES for name in source.lower.split())
_NEGATIVE = frozenset(name for source in SOURCES for name in source.negative.split())
_SIGNED = frozenset(name for source in SOURCES for name in source.signed.split())
_MEASURED = _LOWER | {"throughput"}
"""What may have a unit. An area under a curve has none: `map_mb` is the size of some map."""

_COST = re.compile(
    r"cost\.(?:(?:train|evaluate)\.(?:wall_s|cpu_hours|gpu_hours|peak_memory_bytes)"
    r"|model_bytes|energy_kwh|[a-z]{3})"
)
"""What Assent measures itself (`measure.cost`)."""

_SPLITS = r"train|training|valid|validation|val|test|eval|dev|holdout|cv"
_MEANS = r"mean|avg|average|median|macro|micro|weighted"
_UNIT = re.compile(
    r"_(?:in_)?(?:ns|us|ms|s|sec|secs|seconds|minutes|hours|mb|gb|bytes|mb_s|usd|eur|gbp|chf|jpy"
    r"|wh|kwh|joules|pct|percent)$"
)
_AFFIX = re.compile(
    rf"^(?:{_SPLITS}|{_MEANS}|global|best|final|last|p[0-9]+)_"
    rf"|_(?:{_SPLITS}|{_MEANS}|at_[0-9]+|[0-9]+|p[0-9]+)$"
)
_WHICH = re.compile(rf"{_SPLITS}|{_MEANS}|value|v[0-9]+|p[0-9]+", re.IGNORECASE)
_OF_ANOTHER = frozenset(
    """
    std stddev stdev std_dev stderr sem se sd var variance ci count counts n support weights
    delta diff difference threshold thresholds target targets baseline dummy config configs params
    hyperparameters higher_is_better seed best_at
    """.split()
)
"""A part of a dotted name by which `std.accuracy` or `thresholds.f1` is no accuracy and no F1."""


def direction(name: str) -> Better | None:
    """The direction that is an improvement for a metric of this name, or None if it is not known.

    Only the last part of a name with dots or slashes counts (`slices.region.north.roc_auc`,
    `val/box_loss`), without the usual affixes (`val_loss`, `recall_at_5`, `latency_p95`,
    `toxicity/v1/mean`), the filter of lm-eval (`acc,none`) and the head of Ultralytics
    (`precision(B)`). A unit and a rate say nothing: more of `revenue_usd` is good, more of
    `loss_usd` is not. Of what Assent measures as `cost.`, less is better.
    """
    if name.startswith("cost."):
        return "lower" if _COST.fullmatch(name) else None
    known = known_name(name)
    if known is None:
        return None
    return "lower" if known in _LOWER else "higher"


def is_turned(name: str, value: object) -> bool:
    """Whether a value has a sign that a metric of this name cannot have: an error below zero, or a
    `neg_…` of scikit-learn above it. Somebody has turned it round, and then the name does not say
    which way is better.
    """
    known, its = known_name(name), number(value)
    if known is None or its is None:
        return False
    if known in _NEGATIVE:
        return its > 0
    return its < 0 and known in _LOWER and known not in _SIGNED


def known_name(name: str) -> str | None:
    """The name in the table that `name` is a form of, or None."""
    *parts, last = re.split(r"[./]", name)
    while parts and _WHICH.fullmatch(last):
        last = parts.pop()
    if any(_plain(part) in _OF_ANOTHER for part in parts):
        return None
    return _in_table(_plain(re.sub(r",[A-Za-z0-9_-]+$|\([BMPO]\)$", "", last)))


def known_names() -> frozenset[str]:
    """All names in the table, for somebody who has mistyped one."""
    return _HIGHER | _LOWER | _NEGATIVE


def _plain(part: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_")


def _in_table(name: str) -> str | None:
    """The name itself, or what is left of it without one affix after the other."""
    while name not in _HIGHER and name not in _LOWER and name not in _NEGATIVE:
        bare = _UNIT.sub("", name)
        measured = None if bare == name else _in_table(bare)
        if measured in _MEASURED:
            return measured
        shorter = _AFFIX.sub("", name, count=1)
        if shorter == name:
            return None
        name = shorter
    return name
