"""Two bundles as one diff."""

from __future__ import annotations

import msgspec

from assent.compare.data import compare_data
from assent.compare.metrics import compare_metrics
from assent.compare.model import compare_model
from assent.compare.values import compare_values, environment_values
from assent.core.bundle import Bundle
from assent.core.diff import Diff, Side
from assent.core.evidence import Evidence
from assent.core.scalar import Scalar


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle with its evidence, and its version if it has one."""

    bundle: Bundle
    evidence: Evidence
    version: int | None = None


def compare(baseline: Known | None, candidate: Known) -> Diff:
    """Everything that changed from `baseline` (None: there is none) to `candidate`."""
    old = None if baseline is None else baseline.evidence
    new = candidate.evidence
    return Diff(
        model=candidate.bundle.model,
        baseline=None if baseline is None else _side(baseline),
        candidate=_side(candidate),
        metrics=compare_metrics(None if old is None else old.metrics, new.metrics),
        model_files=compare_model(None if baseline is None else baseline.bundle, candidate.bundle),
        data=compare_data(() if old is None else old.data, new.data),
        params=compare_values(None if old is None else old.params, new.params),
        packages=compare_values(_packages(old), _packages(new)),
        environment=compare_values(
            environment_values(None if old is None else old.environment),
            environment_values(new.environment),
        ),
    )


def _side(known: Known) -> Side:
    return Side(
        bundle=known.bundle.digest,
        model_digest=known.bundle.model_digest,
        version=known.version,
        code=known.evidence.code,
        run=known.evidence.run,
    )


def _packages(evidence: Evidence | None) -> dict[str, Scalar]:
    return {} if evidence is None else dict(evidence.environment.packages)
