"""A review with something to draw in every section, and one whose every text is hostile."""

from __future__ import annotations

import zlib
from math import erf, exp, sqrt
from typing import Any

from msgspec.structs import replace

from assent.core.diff import Diff
from assent.core.diff.data import ColumnChange, ColumnFacts, DataChange, DataDiff, Drift, Share
from assent.core.diff.metrics import Interval, MetricChange
from assent.core.diff.model import ModelDiff, WeightChange
from assent.core.diff.predictions import (
    CalibrationBin,
    Confusion,
    Flips,
    PredictionsDiff,
    Residuals,
    SliceChange,
)
from assent.report.review import Plot, ReviewReport

from . import samples

NAN, INFINITY = float("nan"), float("inf")


def metric(
    name: str,
    old: float,
    change: float,
    half: float,
    better: Any = "higher",
    rows: int = 20_000,
) -> MetricChange:
    """A metric whose change has an interval of twice `half`."""
    return MetricChange(
        name=name,
        old=old,
        new=old + change,
        change=change,
        relative=change / old,
        better=better,
        is_changed=True,
        interval=Interval(low=change - half, high=change + half, n=rows, method="DeLong"),
        rows=rows,
        is_computed=True,
    )


METRICS = (
    metric("roc_auc", 0.8523, 0.0091, 0.0031),
    metric("log_loss", 0.31217, -0.01105, 0.0052, "lower"),
    metric("accuracy", 0.8812, 0.0009, 0.0041),
    metric("brier", 0.0921, 0.00213, 0.0012, "lower"),
    metric("recall", 0.7012, -0.0213, 0.0102),
    metric("predicted_positive_share", 0.2113, 0.012, 0.003, None),
)
SLICES = tuple(
    metric(f"slices.{column}.{value}.roc_auc", 0.85, change, 0.42 / sqrt(rows), rows=rows)
    for column, value, change, rows in (
        ("region", "north", 0.012, 8_211),
        ("region", "south", -0.031, 3_122),
        ("region", "east", 0.004, 6_702),
        ("region", "west.coast", 0.017, 1_965),
        ("plan", "free", 0.011, 12_408),
        ("plan", "pro", 0.006, 6_904),
        ("plan", "enterprise", -0.048, 688),
        ("plan", "trial — student discount, annual", 0.06, 21),
    )
)


def bins(mean: float, deviation: float, many: int = 30) -> list[float]:
    """Shares of a normal distribution in `many` bins between -3 and 3."""

    def below(at: int) -> float:
        return (1 + erf((6 * at / many - 3 - mean) / deviation / sqrt(2))) / 2

    return [below(at + 1) - below(at) for at in range(many)]


def column(name: str, shares: tuple[Share, ...], kind: Any = "number", **facts: Any) -> Any:
    """A column whose drift is shown."""
    drift = Drift(
        outcome="shown", level="moderate", psi=0.1423, distance=0.19, variation=0.16, p=1e-9
    )
    known = ColumnFacts(type="double", kind=kind, nulls=0.01, distinct=900)
    return ColumnChange(
        **{"name": name, "old": known, "new": known, "drift": drift, "shares": shares, **facts}
    )


def numbers(mean: float) -> tuple[Share, ...]:
    """Thirty bins of an age, and a shift by `mean` deviations."""
    pairs = zip(bins(0, 1), bins(mean, 1.1), strict=True)
    return tuple(
        Share(label=f"{18 + 2 * at} to {20 + 2 * at}", old=old, new=new)
        for at, (old, new) in enumerate(pairs)
    )


CATEGORIES = tuple(
    Share(label=label, old=old, new=new)
    for label, old, new in (
        ("web", 0.52, 0.41),
        ("phone", 0.21, 0.18),
        ("partner", 0.15, 0.14),
        ("branch", 0.12, 0.04),
        ("kiosk: airport, terminal 2", 0.0, 0.23),
    )
)


def calibration(skew: float, many: int = 10) -> tuple[CalibrationBin, ...]:
    """Ten bins, more rows at the ends."""
    return tuple(
        CalibrationBin(
            low=at / many,
            high=(at + 1) / many,
            rows=int(400 + 9_000 * exp(-at / 1.7) + 1_500 * exp(9 * (at + 1 - many) / many / 1.2)),
            score=(at + 0.5) / many,
            observed=min(1.0, max(0.0, (at + 0.5) / many + skew * (at - 4.5) * (9 - at) / 20)),
        )
        for at in range(many)
    )


CLASSES = ("bird", "cat", "dog")
PREDICTIONS = PredictionsDiff(
    task="binary",
    new_rows=20_000,
    old_rows=20_000,
    joined=20_000,
    is_paired=True,
    flips=Flips(both_right=17_204, both_wrong=1_918, worse=341, better=537),
    disagreement=0.0439,
    old_calibration=calibration(0.25),
    new_calibration=calibration(0.09),
    old_confusion=Confusion(classes=("stays", "leaves"), counts=((15_210, 811), (1_448, 2_531))),
    new_confusion=Confusion(classes=("stays", "leaves"), counts=((15_388, 633), (1_426, 2_553))),
    slices=(
        SliceChange(
            column="plan", value="enterprise", metric="roc_auc", rows=688, change=-0.048, p=0.004
        ),
    ),
    slices_judged=7,
    slices_too_small=1,
)
MANY_CLASSES = tuple(f"class {at}" for at in range(14))
MULTICLASS = replace(
    PREDICTIONS,
    task="multiclass",
    old_calibration=(),
    new_calibration=(),
    old_confusion=Confusion(
        classes=MANY_CLASSES,
        counts=tuple(
            tuple(900 if a == b else (a * 7 + b * 3) % 40 for b in range(14)) for a in range(14)
        ),
    ),
    new_confusion=Confusion(
        classes=MANY_CLASSES,
        counts=tuple(
            tuple(870 + 4 * a if a == b else (a * 7 + b * 3) % 38 for b in range(14))
            for a in range(14)
        ),
    ),
)
REGRESSION = PredictionsDiff(
    task="regression",
    new_rows=20_000,
    old_rows=20_000,
    joined=20_000,
    is_paired=True,
    residuals=Residuals(
        edges=tuple(-300.0 + 20 * at for at in range(31)),
        old=tuple(bins(0.4, 0.8)),
        new=tuple(bins(0.05, 0.62)),
    ),
)
WEIGHTS = tuple(
    WeightChange(name=f"model.layers.{layer}.{part}.weight", distance=distance, cosine=0.98)
    for layer, part, distance in (
        (11, "self_attn.q_proj", 0.412),
        (11, "self_attn.k_proj", 0.388),
        (10, "mlp.down_proj", 0.201),
        (9, "mlp.up_proj", 0.122),
        (3, "input_layernorm", 0.0211),
        (0, "self_attn.v_proj", 0.00042),
    )
)


def png(width: int = 64, height: int = 40) -> bytes:
    """A picture with a slope of colours."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return len(content).to_bytes(4, "big") + checked + zlib.crc32(checked).to_bytes(4, "big")

    rows = b"".join(
        b"\x00" + b"".join(bytes((4 * x % 256, 6 * y % 256, 140)) for x in range(width))
        for y in range(height)
    )
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


SVG = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="300" height="160">'
    b'<circle cx="150" cy="80" r="60" fill="teal"/><script>alert(1)</script></svg>'
)
PLOTS = (
    Plot(name="plots/importance.png", media_type="image/png", content=png()),
    Plot(name="plots/roc.svg", media_type="image/svg+xml", content=SVG),
    Plot(name="plots/roc.vl.json", media_type="application/vnd.vegalite.v5+json", content=b"{}"),
)


def rich(**changes: Any) -> ReviewReport:
    """A review of a binary classifier in which every section has a chart."""
    diff: dict[str, Any] = {
        "metrics": (*METRICS, *SLICES),
        "predictions": PREDICTIONS,
        "data": DataDiff(
            changes=(
                DataChange(
                    name="train",
                    old=samples.data("train", 104_220, b"1"),
                    new=samples.data("train", 118_904, b"2"),
                    is_profiled=True,
                    columns=(
                        column("age", (*numbers(0.45), Share(label="(null)", old=0.01, new=0.043))),
                        column("channel", CATEGORIES, "category", added=(("kiosk", 27_000),)),
                        column(
                            "leaves",
                            (
                                Share(label="false", old=0.81, new=0.74),
                                Share(label="true", old=0.19, new=0.26),
                            ),
                            "boolean",
                            is_label=True,
                        ),
                    ),
                    alike_columns=22,
                ),
            ),
            same=(samples.data("test", 20_000, b"t"),),
        ),
        "model_files": replace(
            samples.diff().model_files, weights=WEIGHTS, weights_compared=148, is_inspected=True
        ),
    }
    made = samples.diff(**{**diff, **changes})
    return samples.review(samples.PASS, samples.PASS, diff=made, plots=PLOTS)


def hostile(text: str, value: Any = NAN, many: int = 40) -> ReviewReport:
    """Everything drawn is called `text`, and every number that may be strange is `value`."""
    strange = MetricChange(
        name=text,
        old=1.0,
        new=2.0,
        change=value,
        better="higher",
        is_changed=True,
        interval=Interval(low=value, high=value, n=1, method=text),
        rows=0,
    )
    ordinary = replace(METRICS[0], name=text)
    sliced = tuple(
        replace(one, name=f"slices.{text}.{at}{text}.{text}", change=change)
        for at in range(many)
        for one, change in ((SLICES[at % len(SLICES)], SLICES[at % len(SLICES)].change),)
    )
    shares = tuple(Share(label=text, old=value, new=0.1) for _ in range(many)) + tuple(
        Share(label=text, old=0.1, new=0.3) for _ in range(many)
    )
    odd = CalibrationBin(low=value, high=value, rows=7, score=value, observed=value)
    size = min(many, 60)
    classes = tuple(f"{at}{text}" for at in range(size))
    counts = tuple(tuple(at * 10**9 + down for at in range(size)) for down in range(size))
    confusion = Confusion(classes=classes, counts=counts)
    return samples.review(
        samples.PASS,
        diff=Diff(
            model="churn",
            candidate=samples.diff().candidate,
            baseline=samples.diff().baseline,
            metrics=(
                strange,
                *[ordinary] * many,
                *sliced,
                replace(strange, name=f"slices.a.b.{text}"),
            ),
            predictions=replace(
                PREDICTIONS,
                old_calibration=(odd, *calibration(0.1, many)),
                new_calibration=(odd, *calibration(0.2, many)),
                old_confusion=confusion,
                new_confusion=replace(confusion, classes=tuple(reversed(classes))),
                residuals=Residuals(edges=(-1.0, 0.0, 1.0), old=(value, 0.5), new=(0.5, value)),
            ),
            data=DataDiff(
                changes=tuple(
                    DataChange(
                        name=text,
                        old=samples.data("a", 1, b"1"),
                        new=samples.data("a", 1, b"2"),
                        is_profiled=True,
                        columns=(
                            column(text, shares, added=((text, 1),), is_label=True),
                            column(text, shares, "category"),
                        ),
                    )
                    for _ in range(many)
                ),
            ),
            model_files=ModelDiff(
                weights=(
                    *[WeightChange(name=text, distance=0.5, cosine=None)] * many,
                    WeightChange(name=text, distance=value, cosine=value, nonfinite=10**12),
                ),
            ),
        ),
        plots=(
            Plot(name=text, media_type=text, content=b"x"),
            Plot(name=text, media_type="image/png", content=png()),
            Plot(name=text, media_type="image/svg+xml", content=SVG),
        ),
    )
