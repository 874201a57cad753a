"""What `evaluate` says it has gathered, so that a typing mistake shows before the review."""

from __future__ import annotations

import pytest

from assent.cli.evaluate import show
from assent.core.digest import digest_of
from assent.core.evidence import DataReference, Evidence, Predictions, Problem
from assent.making.evaluation import EvaluateResult

DIGEST = digest_of(b"")


def test_predictions_and_data_are_named_beside_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    evidence = Evidence(
        model="churn",
        inputs_digest=DIGEST,
        metrics={"accuracy": 0.9},
        predictions=Predictions(attachment=DIGEST, task="binary", rows=2_500),
        data=(
            DataReference(name="train", source="a", kind="file", rows=6_000, profile=DIGEST),
            DataReference(name="raw", source="b", kind="file", digest=DIGEST),
            DataReference(name="orders", source="c", kind="table", snapshot="8"),
        ),
        problems=(Problem(source="gone.json", problem="no such file"),),
    )
    show(EvaluateResult(model="churn", model_digest=DIGEST, evidence=evidence))
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  accuracy = 0.9",
        "  predictions: 2,500 rows (binary)",
        "  data train: 6,000 rows, profiled",
        "  data raw: only its digest is known",
        "  data orders: not profiled",
        "  not read: gone.json: no such file",
    ]
