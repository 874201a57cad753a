"""A large review: CPU of comparing, judging and reporting a thousand metrics in fifty slices."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks.context import Context
from benchmarks.figures import Figure, mebibytes, milliseconds, numbers
from benchmarks.measure import in_turns
from benchmarks.project import MODEL, Project

METRICS, SLICES, PARAMS = 1_000, 50, 10_000
LIMIT_S = 1.0

_ASSENT = f"""\
models:
  {MODEL}:
    train: sh train.sh
    inputs: [train.sh]
    params: [params.json]
    model: model.bin
    metrics: [metrics.json]
    gates:
      - {{metric: "m0*", better: higher, min: 0.1, max_drop: 0.1}}
      - {{metric: m17, slice: region, better: higher, max_drop: 0.05}}
    approvals: {{count: 0}}
    stages:
      production: {{}}
"""


def measure(context: Context) -> Iterator[Figure]:
    project = Project(context.folder / "review", context.env)
    project.create()
    project.write(
        assent_yaml=_ASSENT,
        train_sh="cp params.json model.bin\n",
        _gitignore=".assent/\n.benchmark-output\nmodel.bin\n",
    )
    _bundle(project, 0)
    project.assent("register")
    project.assent("promote", "production")
    candidate = _bundle(project, 1)
    project.assent("review", "--bundle", candidate)
    words = project.command("review", "--bundle", candidate)
    review = in_turns({"review": words}, context.rounds(15, quick=3))["review"]
    yield Figure(
        "review",
        f"assent review, {METRICS:,} metrics x {SLICES} slices, {PARAMS:,} parameters",
        f"{review.cpu_s:.2f} s of CPU, {milliseconds(review.wall_s)}, "
        f"{mebibytes(review.peak_bytes)} at most",
        goal=f"at most {LIMIT_S:g} s of CPU",
        met=review.cpu_s <= LIMIT_S,
        numbers=numbers(review),
    )


def _bundle(project: Project, seed: int) -> str:
    """Train with other values everywhere, and store the bundle."""
    metrics = {f"m{number}": _value(number, seed) for number in range(METRICS)}
    slices = {
        f"r{place}": {name: value - place / 1000 for name, value in metrics.items()}
        for place in range(SLICES)
    }
    params = {f"p{number}": number + (seed if number % 10 == 0 else 0) for number in range(PARAMS)}
    project.write(
        metrics_json=json.dumps({**metrics, "slices": {"region": slices}}),
        params_json=json.dumps(params),
    )
    project.commit(f"Try seed {seed}")
    for verb in ("train", "evaluate"):
        project.assent(verb)
    bundle: str = json.loads(project.assent("bundle", "--json"))["bundle"]
    return bundle


def _value(number: int, seed: int) -> float:
    return 0.5 + (number * 37 % 400) / 1000 + seed * (number % 11 - 4) / 10_000
