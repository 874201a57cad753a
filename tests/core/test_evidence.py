"""Evidence reads back as it was written, and nothing that is not evidence does."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.digest import canonical_json
from assent.core.evidence import Code, DataReference, Evidence, Run, Step
from assent.core.scalar import NonFinite, Scalar
from tests.builders import AT, digest, person

scalars: st.SearchStrategy[Scalar] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from([NonFinite("nan"), NonFinite("inf"), NonFinite("-inf")])
)
named = st.dictionaries(st.text(), scalars, max_size=5)
EVIDENCE = Evidence(
    model="churn",
    inputs_digest=digest("inputs"),
    train=Step(command="python t.py", inputs_digest=digest("i"), started_at=AT, wall_s=1.5),
    trained_by=person("alice"),
    code=Code(commit="c0ffee", is_dirty=True, authors=(person("alice"),)),
    data=(DataReference(name="train", source="t.csv", kind="file", digest=digest("t")),),
    run=Run(system="github", id="7"),
)


@given(named, named)
def test_evidence_reads_back_with_every_type_kept(
    metrics: dict[str, Scalar], params: dict[str, Scalar]
) -> None:
    evidence = msgspec.structs.replace(EVIDENCE, metrics=metrics, params=params)
    read = msgspec.json.decode(canonical_json(evidence), type=Evidence)
    assert read == evidence
    for name, value in params.items():
        assert isinstance(read.params[name], bool) is isinstance(value, bool)


@pytest.mark.threat(14)
def test_not_a_number_is_told_from_null() -> None:
    evidence = msgspec.structs.replace(EVIDENCE, metrics={"a": NonFinite("nan"), "b": None})
    read = msgspec.json.decode(canonical_json(evidence), type=Evidence)
    assert read.metrics == {"a": NonFinite("nan"), "b": None}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"model":"churn"', '"model":"churn","approved":true'),
        ('"is_dirty":true', '"is_dirty":true,"trusted":true'),
        ('"wall_s":1.5', '"wall_s":"1.5"'),
        ('"metrics":{}', '"metrics":{"auc":{"nonfinite":"finite"}}'),
        ('"metrics":{}', '"metrics":{"auc":[1]}'),
        ('"metrics":{}', '"metrics":{"auc":1e999}'),
        ('"model":"churn",', ""),
    ],
)
def test_what_is_not_evidence_is_refused(old: str, new: str) -> None:
    text = canonical_json(EVIDENCE).decode()
    assert old in text
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text.replace(old, new), type=Evidence)
