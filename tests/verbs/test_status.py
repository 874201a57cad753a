"""`status`: what is where, whatever is wrong with one of the models."""

from __future__ import annotations

from assent.core.entry import Kind
from assent.errors import ExitCode
from assent.verbs.status import status
from tests.builders import draft, subject
from tests.verbs.place import MODEL, Place


def test_stages_of_the_configuration_and_those_that_hold_something(place: Place) -> None:
    place.version(1)
    place.hold("canary", 1)
    result = status(place.open(), [MODEL])
    [model] = result.models
    assert model.stages == ("staging", "production", "canary")
    assert model.state is not None
    assert model.state.versions == 1
    assert model.state.stages["canary"].version == 1
    assert result.exit_code is ExitCode.DONE


def test_one_that_cannot_be_read_hides_no_other(place: Place) -> None:
    text = (place.folder / "assent.yaml").read_text()
    other = text.removeprefix("models:\n").replace("churn:", "fraud:").replace("model/", "fraud/")
    (place.folder / "assent.yaml").write_text(text + other)
    place.version(1)
    place.ledger.contents["fraud"] = [b"{}\n"]
    result = status(place.open(), ["fraud", MODEL])
    fraud, churn = result.models
    assert fraud.state is None
    assert fraud.problem
    assert churn.state is not None
    assert churn.problem is None
    assert result.exit_code == ExitCode.INTEGRITY


def test_a_model_that_left_the_configuration(place: Place) -> None:
    entry = draft(Kind.REGISTERED, subject("o1", 1), model="old")
    place.ledger.append(place.ledger.read("old"), [entry])
    [old] = status(place.open(), ["old"]).models
    assert old.state is not None
    assert (old.state.versions, old.stages) == (1, ())
