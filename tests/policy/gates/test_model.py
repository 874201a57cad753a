"""The gate on the model's files."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec
import pytest
import yaml

from assent.compare.bundles import compare
from assent.core.diff.model import FieldChange, FileChange, ModelDiff, PartChange, SignatureChange
from assent.core.inspection import Danger, Field
from assent.core.verdict import Finding, Outcome
from assent.policy.gates.model import ModelGate
from tests.compare.known import known

PASSED, FAILED, UNDECIDED, WAITING, WARNED, NOT_APPLICABLE = Outcome

CANDIDATE = known(files={"a": "x" * 600, "b": "x" * 400})


def judge(
    gate: ModelGate,
    *parts: PartChange,
    has_baseline: bool = True,
    version: int | None = 1,
    without_baseline: Literal["allow", "block"] = "allow",
    **fields: Any,
) -> list[Finding]:
    approved = msgspec.structs.replace(known(), version=version)
    diff = compare(approved if has_baseline else None, known())
    files = ModelDiff(parts=parts, is_inspected=True, **fields)
    return gate.judge(
        msgspec.structs.replace(diff, model_files=files),
        known().evidence,
        without_baseline=without_baseline,
    )


def part(path: str = "model.pkl", **fields: Any) -> PartChange:
    values = {"old_format": "pickle", "new_format": "pickle", "is_changed": True, **fields}
    values.setdefault("imports", len(values.get("added_imports", ())))
    return PartChange(path=path, **values)


SAFE = ModelGate(model="safe")

FOREST = "sklearn.ensemble._forest.RandomForestClassifier"


@pytest.mark.parametrize(
    ("bound", "outcome"),
    [
        (1000, PASSED),
        (999, FAILED),
        ("1kB", PASSED),
        ("0.9kB", FAILED),
        ("1KiB", PASSED),
    ],
)
def test_all_files_together_have_a_bound(bound: str | int, outcome: Outcome) -> None:
    for baseline in (None, known()):
        diff = compare(baseline, CANDIDATE)
        (finding,) = ModelGate(model="any", max_size=bound).judge(
            diff, known().evidence, without_baseline="block"
        )
        assert finding.outcome is outcome
        assert finding.evidence == "1,000 bytes"
        assert bool(finding.remedy) is outcome.blocks


@pytest.mark.parametrize("size", [0, -1, "0MB", "5XB", "many", ""])
def test_an_impossible_size_is_refused(size: str | int) -> None:
    with pytest.raises(ValueError, match="size"):
        ModelGate(model="any", max_size=size)
    with pytest.raises(ValueError, match=r"size|percentage|growth"):
        ModelGate(model="any", max_growth=-1 if size == 0 else f"{size}?%")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": "any"}, "`max_size` is missing"),
        ({"model": "any", "max_size": 1, "allow": ("os.system",)}, "allow needs model: safe"),
        ({"model": "safe", "allow": ("sklearn.*",)}, "exact names only"),
        ({"model": "safe", "allow": ("sklearn.",)}, "exact names only"),
    ],
)
def test_a_gate_that_judges_nothing_or_everything_is_refused(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        ModelGate(**fields)


@pytest.mark.parametrize(
    ("old", "new", "bound", "outcome"),
    [
        (1000, 1100, "10%", PASSED),
        (1000, 1101, "10%", FAILED),
        (1000, 10, "0%", PASSED),
        (1000, 1001, "0%", FAILED),
        (1000, 2000, "1kB", PASSED),
        (1000, 2001, 1000, FAILED),
        (0, 1, "50%", FAILED),
        (None, 10, "10%", NOT_APPLICABLE),
    ],
)
def test_growth_has_a_bound(old: int | None, new: int, bound: str | int, outcome: Outcome) -> None:
    gate = ModelGate(model="any", max_growth=bound)
    (finding,) = judge(gate, has_baseline=old is not None, old_size_bytes=old, new_size_bytes=new)
    assert finding.outcome is outcome
    if old is None:
        (finding,) = judge(gate, has_baseline=False, without_baseline="block", new_size_bytes=new)
        assert finding.outcome is FAILED


def test_what_the_baseline_imports_passes() -> None:
    (finding,) = judge(SAFE, part(imports=7))
    assert (finding.rule, finding.outcome) == ("model safe", PASSED)
    assert finding.evidence == "1 file, 7 imports"


@pytest.mark.threat(39)
def test_a_new_import_blocks_and_the_finding_says_what_to_add() -> None:
    (finding,) = judge(SAFE, part(added_imports=("acme.Scaler", FOREST, "numpy.dtype")))
    assert finding.outcome is FAILED
    assert finding.reason == "loading it imports what the baseline does not"
    assert finding.evidence == f"`model.pkl`: `acme.Scaler`, `{FOREST}`"
    assert f"`allow: [acme.Scaler, {FOREST}]`" in finding.remedy

    allowed = ModelGate(model="safe", allow=("acme.Scaler", FOREST))
    assert [one.outcome for one in judge(allowed, part(added_imports=("acme.Scaler", FOREST)))] == [
        PASSED
    ]


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "name",
    [
        "acme.Scaler2",
        "acme.Scalers",
        "os:system",
        "OS.system",
        "sklearn.ensemble._forest",
        "o.s.system",
    ],
)
def test_names_are_allowed_exactly(name: str) -> None:
    gate = ModelGate(model="safe", allow=("os.system", "sklearn", FOREST))
    (finding,) = judge(gate, part(added_imports=(name,)))
    assert finding.outcome is FAILED


@pytest.mark.threat(39)
def test_without_a_baseline_everything_has_to_be_allowed() -> None:
    rebuild = ("numpy.dtype", "numpy.ndarray", "collections.OrderedDict")
    for without_baseline in ("allow", "block"):
        (finding,) = judge(
            SAFE,
            part(old_format=None, added_imports=(*rebuild, FOREST)),
            has_baseline=False,
            without_baseline=without_baseline,
        )
        assert finding.outcome is FAILED
        assert finding.reason == "loading it imports what nobody has approved"
        assert finding.evidence == f"`model.pkl`: `{FOREST}`"
    (finding,) = judge(SAFE, part(old_format=None, added_imports=rebuild), has_baseline=False)
    assert finding.outcome is PASSED


@pytest.mark.threat(39)
def test_a_baseline_that_nobody_has_registered_proves_nothing() -> None:
    unchanged = part(kept_imports=(FOREST,), is_changed=False)
    (finding,) = judge(SAFE, unchanged)
    assert finding.outcome is PASSED
    (finding,) = judge(SAFE, unchanged, version=None)
    assert finding.outcome is FAILED
    assert finding.reason == "loading it imports what nobody has approved"


def test_nobody_is_told_to_allow_what_runs_commands() -> None:
    for name in ("posix.system", "builtins.eval", "subprocess.Popen"):
        (finding,) = judge(SAFE, part(added_imports=(name, FOREST)))
        assert finding.remedy.startswith("do not load this file")


def test_a_file_of_another_name_imports_what_the_baseline_did() -> None:
    (finding,) = judge(
        SAFE,
        part("new.pkl", old_format=None, added_imports=(FOREST,)),
        part("old.pkl", new_format=None, removed_imports=(FOREST,)),
    )
    assert finding.outcome is PASSED


def test_the_line_to_add_can_be_read_back() -> None:
    names = (
        FOREST,
        "a:b.c",
        "code/x.py sha256:0123456789abcdef",
        "odd, name",
        "ü.v",
        "x: y",
        "1.2",
    )
    findings = judge(SAFE, part(added_imports=names))
    found: list[str] = []
    for finding in findings:
        assert len(finding.remedy) < 300  # what a finding of the comment shows
        line = re.search(r"`(allow: .*)`$", finding.remedy)
        assert line is not None
        found.extend(yaml.safe_load(line[1])["allow"])
    assert found == sorted(names)


def test_many_names_are_several_findings() -> None:
    names = tuple(f"package.module.name_{number:04}" for number in range(300))
    findings = judge(SAFE, part(added_imports=names))
    assert len(findings) > 10
    assert all(len(finding.remedy) < 300 for finding in findings)
    shown = "".join(finding.evidence for finding in findings)
    assert all(name in shown for name in names)


@pytest.mark.threat(39)
def test_dangers_block_whatever_was_approved() -> None:
    danger = Danger(what="sets attributes of what it imports", detail="builtins.object")
    gate = ModelGate(model="safe", allow=("builtins.object", "model.pkl"))
    (finding,) = judge(gate, part(dangers=(danger,), is_changed=False))
    assert finding.outcome is FAILED
    assert finding.evidence == (
        "`model.pkl`: sets attributes of what it imports (`builtins.object`)"
    )


@pytest.mark.threat(39)
def test_a_file_that_cannot_be_read_blocks() -> None:
    gate = ModelGate(model="safe", allow=("model.pkl",))
    (finding,) = judge(gate, part(problem="the pickle is broken at byte 7"))
    assert finding.outcome is FAILED
    assert "broken at byte 7" in finding.evidence


@pytest.mark.threat(39)
@pytest.mark.parametrize("format_", ["unknown", "archive"])
def test_a_format_that_is_not_read_has_to_be_allowed_by_its_path(format_: str) -> None:
    unread = part("m.xyz", old_format=format_, new_format=format_)
    change: Any = {"changes": (FileChange(path="m.xyz", old_size_bytes=1, new_size_bytes=1),)}
    (finding,) = judge(SAFE, unread, **change)
    assert finding.outcome is FAILED
    assert "`allow: [m.xyz]`" in finding.remedy
    (finding,) = judge(ModelGate(model="safe", allow=("m.xyz",)), unread, **change)
    assert finding.outcome is PASSED
    same = msgspec.structs.replace(unread, is_changed=False)
    assert judge(SAFE, same)[0].outcome is PASSED
    assert judge(SAFE, same, **change)[0].outcome is FAILED  # the bytes are other ones
    assert judge(SAFE, same, has_baseline=False)[0].outcome is FAILED


@pytest.mark.threat(39)
def test_code_has_to_be_allowed_by_name() -> None:
    code = "code/net.py sha256:0123456789abcdef"
    script = part("m.pt", new_format="torchscript", code=(code,))
    (finding,) = judge(SAFE, script)
    assert finding.outcome is FAILED
    assert code in finding.remedy
    assert judge(ModelGate(model="safe", allow=(code,)), script)[0].outcome is PASSED
    assert judge(SAFE, msgspec.structs.replace(script, is_changed=False))[0].outcome is PASSED


@pytest.mark.threat(39)
def test_a_model_that_nobody_looked_into_blocks() -> None:
    diff = compare(known(), known())
    (finding,) = SAFE.judge(diff, known().evidence, without_baseline="allow")
    assert finding.outcome is FAILED
    (finding,) = judge(SAFE)  # inspected, and without a file
    assert finding.outcome is FAILED


def test_removed_files_are_not_judged() -> None:
    gone = part("old.pkl", new_format=None, dangers=(Danger(what="x"),), problem="y")
    (finding,) = judge(SAFE, part(), gone)
    assert finding.outcome is PASSED
    assert finding.evidence.startswith("1 file")


def test_every_part_is_judged() -> None:
    findings = judge(
        SAFE,
        part("a.pkl", added_imports=("os.system",)),
        part("b.pkl", problem="broken"),
        part("c.safetensors", new_format="safetensors"),
    )
    assert [finding.outcome for finding in findings] == [FAILED, FAILED]


@pytest.mark.parametrize(
    ("wanted", "verdict", "outcome"),
    [
        ("same", "same", PASSED),
        ("same", "compatible", FAILED),
        ("same", "breaking", FAILED),
        ("same", "unknown", UNDECIDED),
        ("compatible", "same", PASSED),
        ("compatible", "compatible", PASSED),
        ("compatible", "breaking", FAILED),
        ("compatible", "unknown", UNDECIDED),
        ("compatible", None, UNDECIDED),
    ],
)
def test_the_signature_is_judged(wanted: Any, verdict: Any, outcome: Outcome) -> None:
    gate = ModelGate(model="any", signature=wanted)
    field = FieldChange(side="input", name="age", old=Field(name="age"), is_breaking=True)
    change = None if verdict is None else SignatureChange(verdict=verdict, fields=(field,))
    (finding,) = judge(gate, signature=change)
    assert finding.rule == f"model signature {wanted}"
    assert finding.outcome is outcome
    assert bool(finding.remedy) is outcome.blocks
    if verdict == "breaking":
        assert finding.evidence == "input `age` removed"


def test_without_a_baseline_the_policy_decides_about_the_signature() -> None:
    gate = ModelGate(model="any", signature="same")
    (finding,) = judge(gate, has_baseline=False)
    assert finding.outcome is NOT_APPLICABLE
    (finding,) = judge(gate, has_baseline=False, without_baseline="block")
    assert finding.outcome is FAILED
    assert "without_baseline: block" in finding.remedy


def test_one_gate_can_ask_for_everything() -> None:
    gate = ModelGate(model="safe", signature="compatible", max_size="1MB", max_growth="10%")
    same = SignatureChange(verdict="same")
    findings = judge(gate, part(), signature=same, old_size_bytes=10, new_size_bytes=11)
    assert [finding.rule for finding in findings] == [
        "model safe",
        "model signature compatible",
        "model max_size 1MB",
        "model max_growth 10%",
    ]
    assert {finding.outcome for finding in findings} == {PASSED}


@pytest.mark.parametrize(("means", "outcome"), [("approve", WAITING), ("warn", WARNED)])
def test_what_was_not_compared_may_be_left_to_people(means: Any, outcome: Outcome) -> None:
    gate = ModelGate(model="any", signature="same", undecided=means)
    (finding,) = judge(gate, signature=SignatureChange(verdict="unknown"))
    assert finding.outcome is outcome
    assert finding.reason.startswith("undecided: ")
