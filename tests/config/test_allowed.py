"""Which words a key takes: every closed set is listed where a word of it is mistyped."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest
import yaml

from assent.config.allowed import allowed
from assent.config.read import read_config
from assent.errors import UsageError
from assent.policy.gates import GATES
from assent.policy.rules import PolicyFields

BASE = """\
models:
  churn:
    model: model/
    metrics: [metrics.json]
    gates:
      - {metric: roc_auc, min: 0.8}
"""


def problem(change: str, gate: str = "") -> str:
    text = BASE.replace("{metric: roc_auc, min: 0.8}", gate) if gate else BASE
    with pytest.raises(UsageError) as caught:
        read_config((text + change).encode(), "assent.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "gate", "told"),
    [
        (
            "",
            "{metric: roc_auc, min: 0.8, better: hihger}",
            "line 6, models.churn.gates[0].better: 'hihger' is none of higher, lower; did you mean "
            "'higher'?",
        ),
        ("", "{data: train, drift: sever}", "moderate, severe, slight; did you mean 'severe'?"),
        ("", "{model: saef}", "'saef' is none of any, safe; did you mean 'safe'?"),
        ("", "{model: safe, signature: compatibel}", "did you mean 'compatible'?"),
        ("", "{predictions: negativ_flips, max: 2%}", "did you mean 'negative_flips'?"),
        (
            "    without_baseline: blok\n",
            "",
            "'blok' is none of allow, block; did you mean 'block'?",
        ),
        (
            "    directions: {roc_auc: hihger}\n",
            "",
            "line 7, models.churn.directions: 'hihger' is none of higher, lower",
        ),
        ('    without_baseline: "a\'b"\n', "", "none of allow, block"),
        ('    without_baseline: "\\e[31m"\n', "", "none of allow, block"),
        ("", "{metric: acuracy, min: 0.8}", "did you mean 'accuracy'?"),
        (
            "    data: {train: a.csv}\n",
            "{data: trian, drift: severe}",
            "there is no data set 'trian' (train under `data`); did you mean 'train'?",
        ),
    ],
)
def test_a_word_that_is_none_is_told_with_those_that_are(change: str, gate: str, told: str) -> None:
    assert told in problem(change, gate)


def test_a_metric_of_the_teams_own_is_not_taken_for_a_mistake() -> None:
    assert "did you mean" not in problem("", "{metric: revenue, min: 0.8}")


def literals(kind: type) -> list[tuple[str, tuple[Any, ...]]]:
    """The fields of a struct that take one of a few words and nothing else."""
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    return [
        (field.encode_name, field.type.values)
        for field in info.fields
        if isinstance(field.type, msgspec.inspect.LiteralType)
    ]


@pytest.mark.parametrize("kind", [*GATES.values(), PolicyFields])
def test_every_closed_set_is_known(kind: type) -> None:
    for key, values in literals(kind):
        assert set(allowed(kind, [key])) == set(values)


class Inner(msgspec.Struct):
    word: Literal["a", "b"] | None = None


class Outer(msgspec.Struct):
    named: dict[str, Inner] = {}
    listed: list[Inner | Literal["c"]] = []


def test_they_are_found_below_names_and_places() -> None:
    assert allowed(Outer, ["named", "x", "word"]) == ("a", "b")
    assert allowed(Outer, ["listed", 0, "word"]) == ("a", "b")
    assert allowed(Outer, ["listed", 0]) == ("c",)
    assert allowed(Outer, ["nothing"]) == ()
    assert yaml.safe_load(BASE)  # what the others change is a configuration
