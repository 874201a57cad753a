"""Reading assent.yaml: strictly, with the line and the nearest valid name in every error."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assent.config.read import read_config
from assent.config.settings import Config
from assent.errors import UsageError
from assent.policy.gates.metric import MetricGate
from assent.policy.gates.model import ModelGate
from assent.policy.rules import ApprovalRule, RollbackRule, StageRule

MINIMAL = """\
models:
  churn:
    model: model/
    metrics: [metrics.json]
    gates:
      - {metric: roc_auc, min: 0.8}
"""
FULL: dict[str, Any] = yaml.safe_load("""\
store: .assent/store
ledger: git:upstream
people:
  bob: {email: bob@example.com, groups: [ml]}
models:
  churn:
    train: python train.py
    evaluate: python evaluate.py
    inputs: [train.py, src/**]
    model: model/
    params: [params.yaml]
    metrics: [reports/metrics.json]
    data:
      train: data/train.parquet
      test: {path: warehouse://test, snapshot: s1}
    gates:
      - {metric: roc_auc, min: 0.80, max_drop: 0.01}
      - {metric: latency_ms, better: lower, max_rise: 10%}
      - {slice: region, metric: roc_auc, max_drop: 0.03}
      - {model: any, max_size: 500MB}
    approvals: {count: 1, from: [alice, "@acme/ml"], author: false}
    without_baseline: block
    directions: {revenue: higher}
    override: {from: [alice]}
    stages:
      staging:
      production:
        after: staging
        soak: 24h
        approvals: {count: 2, from: ["@acme/ml-leads"]}
        rollback: {approvals: 0}
""")


def read(text: str) -> Config:
    return read_config(text.encode(), "assent.yaml")


def refusal(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert "docs/configuration.md" in (caught.value.hint or "")
    return str(caught.value)


def test_the_smallest_config_reads_with_its_defaults() -> None:
    config = read(MINIMAL)
    assert (config.store, config.ledger, config.people) == (".assent/store", "git", {})
    policy = config.policies["churn"]
    assert policy.gates == (MetricGate(metric="roc_auc", min=0.8),)
    assert policy.approvals == ApprovalRule(count=1, from_=("*",), author=False)
    assert (policy.stages, policy.without_baseline, policy.override) == ({}, "allow", None)


@pytest.mark.parametrize("ledger", ["git", "git:upstream", "s3://b1x/decisions", "az://models"])
def test_a_ledger_is_in_git_or_in_a_bucket(ledger: str) -> None:
    assert read(f"{MINIMAL}ledger: {ledger}\n").ledger == ledger


def test_everything_that_can_be_said_is_read() -> None:
    config = read(yaml.safe_dump(FULL))
    model, policy = config.models["churn"], config.policies["churn"]
    assert config.people["bob"].groups == ("ml",)
    assert {name: data.path for name, data in model.data_sets.items()} == {
        "train": "data/train.parquet",
        "test": "warehouse://test",
    }
    assert model.data_sets["test"].snapshot == "s1"
    assert policy.gates[1] == MetricGate(metric="latency_ms", better="lower", max_rise="10%")
    assert policy.gates[3] == ModelGate(model="any", max_size="500MB")
    assert policy.approvals.from_ == ("alice", "@acme/ml")
    assert policy.stages == {
        "staging": StageRule(),
        "production": StageRule(
            after="staging",
            soak="24h",
            approvals=ApprovalRule(count=2, from_=("@acme/ml-leads",)),
            rollback=RollbackRule(approvals=0),
        ),
    }


names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True).filter(
    lambda name: not (name[0] == "v" and name[1:].isdigit())
)
texts = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
who = st.lists(texts.filter(lambda name: "#" not in name), min_size=1, max_size=3)
approvals = st.fixed_dictionaries(
    {}, optional={"count": st.integers(0, 100), "from": who, "author": st.booleans()}
)
gates = st.one_of(
    st.fixed_dictionaries(
        {"metric": texts, "better": st.just("higher"), "min": st.floats(-9, 0)},
        optional={
            "slice": texts,
            "max": st.floats(1, 9),
            "max_drop": st.sampled_from([0, 0.1, "5%"]),
        },
    ),
    st.builds(lambda size: {"model": "any", "max_size": size}, st.integers(1) | st.just("5MB")),
)
stages = st.lists(names, unique=True, max_size=3).flatmap(
    lambda order: st.fixed_dictionaries(
        {
            name: st.none()
            | st.fixed_dictionaries(
                {}, optional={"approvals": approvals, "rollback": st.just({"approvals": 1})}
            )
            if place == 0
            else st.just({"after": order[place - 1], "soak": "1h"})
            for place, name in enumerate(order)
        }
    )
)
models = st.fixed_dictionaries(
    {
        "model": texts,
        "metrics": st.lists(texts, min_size=1, max_size=2),
        "gates": st.lists(gates, min_size=1, max_size=3),
    },
    optional={
        "evaluate": texts,
        "inputs": st.lists(texts, max_size=2),
        "params": st.lists(texts, max_size=2),
        "data": st.dictionaries(
            texts, texts | st.builds(lambda path: {"path": path}, texts), max_size=2
        ),
        "approvals": approvals,
        "stages": stages,
        "without_baseline": st.sampled_from(["allow", "block"]),
        "override": st.builds(lambda people: {"from": people}, who),
    },
)
configs = st.fixed_dictionaries(
    {"models": st.dictionaries(names, models, min_size=1, max_size=2)},
    optional={
        "store": texts,
        "people": st.dictionaries(
            texts, st.builds(lambda mail: {"email": mail}, texts), max_size=2
        ),
    },
)


@given(configs, st.sampled_from([None, 2]))
def test_every_valid_config_reads_back(given_: dict[str, Any], indent: int | None) -> None:
    # As JSON, which is YAML: PyYAML writes YAML 1.1, where 0E0 is text and needs no quotes.
    config = read(json.dumps(given_, indent=indent, ensure_ascii=False))
    assert config.models.keys() == config.policies.keys() == given_["models"].keys()
    assert config.people.keys() == given_.get("people", {}).keys()
    for name, said in given_["models"].items():
        model, policy = config.models[name], config.policies[name]
        assert model.model == said["model"]
        assert list(model.metrics) == said["metrics"]
        assert {key: data.path for key, data in model.data_sets.items()} == {
            key: data if isinstance(data, str) else data["path"]
            for key, data in said.get("data", {}).items()
        }
        assert len(policy.gates) == len(said["gates"])
        for gate, rule in zip(policy.gates, said["gates"], strict=True):
            assert {key: getattr(gate, key) for key in rule} == rule
        assert policy.approvals.count == said.get("approvals", {}).get("count", 1)
        assert policy.stages.keys() == said.get("stages", {}).keys()
        assert policy.without_baseline == said.get("without_baseline", "allow")


LEVELS: list[tuple[str | int, ...]] = [
    (),
    ("people", "bob"),
    ("models", "churn"),
    ("models", "churn", "data", "test"),
    ("models", "churn", "gates", 0),
    ("models", "churn", "gates", 3),
    ("models", "churn", "approvals"),
    ("models", "churn", "override"),
    ("models", "churn", "stages", "production"),
    ("models", "churn", "stages", "production", "approvals"),
    ("models", "churn", "stages", "production", "rollback"),
]


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: ".".join(map(str, level)) or "top")
def test_an_unknown_key_is_named_with_its_line_at_every_level(level: tuple[str | int, ...]) -> None:
    config: Any = copy.deepcopy(FULL)
    part = config
    for step in level:
        part = part[step]
    part["zzz"] = 1
    text = yaml.safe_dump(config, sort_keys=False)
    line = next(n for n, one in enumerate(text.splitlines(), 1) if "zzz" in one)
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in (*level, "zzz"))
    said = refusal(text)
    assert said.startswith(f"reading assent.yaml, line {line}, {path[1:]}: unknown key 'zzz'")


def with_line(line: str) -> str:
    return f"{MINIMAL}    {line}\n"


def with_gate(gate: str) -> str:
    return MINIMAL.replace("{metric: roc_auc, min: 0.8}", gate)


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("", "line 1", "expected a mapping"),
        ("- a\n", "line 1", "expected a mapping"),
        ("store: x\n", "line 1", "`models` is missing"),
        ("models: {}\n", "line 1, models", "it is empty"),
        ("models: {churn: 5}\n", "line 1, models.churn", "expected a mapping"),
        ("models:\n  1: {}\n", "line 1, models", "names as keys"),
        (MINIMAL + "ledgr: git\n", "line 7, ledgr", "did you mean 'ledger'?"),
        (MINIMAL + "ledger: svn\n", "line 7, ledger", "matching"),
        (MINIMAL + "ledger: s3://b c/d\n", "line 7, ledger", "no address of a bucket: write it"),
        (MINIMAL + "ledger: oci://host/name\n", "line 7, ledger", "matching"),
        (with_line("gatez: 1"), "line 7, models.churn.gatez", "did you mean 'gates'?"),
        (with_line("model: other"), "line 7", "the key 'model' is given twice"),
        (with_line("data: {train: 3}"), "line 7, models.churn.data.train", "expected a mapping"),
        (with_line("data: {train: {pth: x}}"), "data.train.pth", "did you mean 'path'?"),
        (
            with_line("data: {train: {path: x, engine: spark, decimal: ','}}"),
            "data.train",
            "not for the engine spark",
        ),
        (
            with_line("data: {train: {path: x, engine: spark, key: id, previous: y}}"),
            "data.train",
            "compares no rows by key",
        ),
        (
            with_line("data: {train: {path: x, engine: spark, header: false}}"),
            "data.train",
            "not for the engine spark",
        ),
        (
            with_line("data: {train: {path: x, delimiter: '||'}}"),
            "data.train.delimiter",
            "length",
        ),
        (
            with_line("data: {train: {path: x, delimiter: '\"'}}"),
            "data.train",
            "no quote and no end of a line",
        ),
        (
            with_line("data: {train: {path: x, header: [a, b, a]}}"),
            "data.train",
            "names a column twice",
        ),
        (
            with_line("data: {train: {path: x, missing: [null]}}"),
            "data.train.missing[0]",
            "expected",
        ),
        (with_line("params: x"), "line 7, models.churn.params", "expected a list, got text"),
        (with_line("inputs: ['']"), "line 7, models.churn.inputs[0]", "it is empty"),
        (with_line("train: x"), "models.churn.inputs", "needs `inputs`"),
        (with_line("without_baseline: maybe"), "models.churn.without_baseline", "'maybe'"),
        (
            MINIMAL.replace("metrics: [metrics.json]", "metrics: []"),
            "models.churn.gates[0]",
            "neither `metrics` nor `predictions`",
        ),
        *(
            (MINIMAL + f"      - {gate}\n", "models.churn.gates[1]", said)
            for gate, said in (
                ("{predictions: negative_flips, max: 2%}", "no `predictions`"),
                ("{param: seed, equals: 7}", "no `params`"),
                ("{data: train, drift: severe}", "there is no data set 'train'"),
                ("{data: leakage, between: [a, b], max: 0}", "there is no data set 'a'"),
            )
        ),
        (with_gate("{metric: roc_auc}"), "line 6, models.churn.gates[0]", "at least one of"),
        (with_gate("{metric: roc_auc, mn: 1}"), "gates[0].mn", "did you mean 'min'?"),
        (with_gate("{metrc: roc_auc, min: 1}"), "line 6", "did you mean 'metric'?"),
        (with_gate("{metric: x, min: '1'}"), "gates[0].min", "expected a number"),
        (with_gate("{metric: roc_auc, min: true}"), "gates[0].min", "expected a number"),
        (with_gate("{metric: roc_auc, min: 0.9, max: 0.8}"), "gates[0]", "nothing can pass"),
        (with_gate("{metric: roc_auc, min: .nan}"), "gates[0]", "judges nothing"),
        (with_gate("{metric: roc_auc, min: -.inf}"), "gates[0]", "judges nothing"),
        (with_gate("{metric: roc_auc, max_drop: .inf}"), "gates[0]", "judges nothing"),
        (with_gate("{metric: roc_auc, max_drop: -1}"), "gates[0].max_drop", "number >= 0"),
        (with_gate("{metric: roc_auc, max_drop: 1h}"), "gates[0].max_drop", "matching"),
        (with_gate("{metric: roc_auc, max_rise: 1}"), "gates[0]", "use max_drop"),
        (with_gate("{metric: things, min: 1}"), "gates[0]", "add `better: higher`"),
        (with_gate("{model: any, max_size: 5XB}"), "gates[0]", "not a size"),
        (with_gate("{model: any, max_size: 0}"), "gates[0]", "more than 0"),
        (with_gate("{model: any}"), "gates[0]", "`max_size` is missing"),
        (with_gate("{metric: roc_auc, model: any, min: 1}"), "gates[0].model", "unknown key"),
        (with_gate("5"), "gates[0]", "expected a mapping"),
    ],
)
def test_what_is_wrong_is_said_with_line_path_and_nearest_name(
    text: str, where: str, problem: str
) -> None:
    said = refusal(text)
    assert said.startswith("reading assent.yaml, line ")
    assert where in said
    assert problem in said


@pytest.mark.threat(13)
@pytest.mark.parametrize(
    ("text", "where"),
    [
        (
            MINIMAL.replace("\n      - {metric: roc_auc, min: 0.8}", " []"),
            "line 5, models.churn.gates",
        ),
        (MINIMAL.split("    gates")[0], "line 2, models.churn.gates"),
        (
            MINIMAL.replace("\n      - {metric: roc_auc, min: 0.8}", ""),
            "line 5, models.churn.gates",
        ),
        (with_gate("{}"), "line 6, models.churn.gates[0]"),
        (with_line("approvals: {from: []}"), "line 7, models.churn.approvals.from"),
        (with_line("approvals: {from: ['']}"), "line 7, models.churn.approvals.from[0]"),
        (with_line("approvals: {from: }"), "line 7, models.churn.approvals.from"),
        (with_line("approvals: {count: -1}"), "line 7, models.churn.approvals.count"),
        (with_line("approvals:"), "line 7, models.churn.approvals"),
        (with_line("override: {from: []}"), "line 7, models.churn.override.from"),
        (with_line("override: {}"), "line 7, models.churn.override"),
    ],
)
def test_an_empty_policy_is_an_error_and_never_a_pass(text: str, where: str) -> None:
    assert where in refusal(text)


def test_a_direction_that_the_model_states_counts_for_its_gates() -> None:
    stated = "    directions: {revenue: lower}\n"
    policy = read(with_gate("{metric: revenue, max_rise: 1}") + stated).policies["churn"]
    assert policy.gates[-1] == MetricGate(metric="revenue", better="lower", max_rise=1)
    text = refusal(with_gate("{metric: revenue, better: higher, max_drop: 1}") + stated)
    assert "`directions` of the model says lower" in text
    assert "gates[" in text
    assert "`directions`" in refusal(with_gate("{metric: revenue, max_drop: 1}"))


@pytest.mark.parametrize(
    ("stages", "where", "problem"),
    [
        ("{b: {after: stagin}, staging: {}}", "stages.b.after", "did you mean 'staging'?"),
        ("{b: {after: c}}", "stages.b.after", "there is no stage 'c'"),
        ("{b: {soak: 1h}}", "stages.b", "soak needs `after`"),
        ("{a: {}, b: {after: a, soak: soon}}", "stages.b", "not a span of time"),
        ("{a: {after: a}}", "stages.a.after", "in a circle"),
        ("{a: {after: b}, b: {after: c}, c: {after: a}}", "after", "in a circle"),
        ("{s: {after: a}, a: {after: b}, b: {after: a}}", "after", "in a circle"),
        ("[]", "stages", "expected a mapping"),
    ],
)
def test_stages_that_cannot_be_reached_are_refused(stages: str, where: str, problem: str) -> None:
    said = refusal(with_line(f"stages: {stages}"))
    assert f"line 7, models.churn.{where}" in said or where == "after"
    assert problem in said


@pytest.mark.parametrize(
    "name",
    ["Churn", "-a", ".a", "a b", "a/b", "ü", '"a\\n"', "a..b", "a.lock", "a.", "''", "a" * 101],
)
def test_a_name_that_a_branch_or_a_folder_cannot_have_is_refused(name: str) -> None:
    said = refusal(MINIMAL.replace("churn", name))
    assert "line 2, models." in said
    assert "the name of a model" in said
    said = refusal(with_line(f"stages: {{{name}: {{}}}}"))
    assert "line 7, models.churn.stages." in said
    assert "the name of a stage" in said


def test_a_stage_is_not_called_like_a_version() -> None:
    assert "like a version" in refusal(with_line("stages: {v12: {}}"))
    assert "v12" in read(MINIMAL.replace("churn", "v12")).models


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "text",
    ["models: *x", "a: &a [*a]", "!!python/object:os.system x", "\t", "a: b: c", "[" * 10_000],
)
def test_text_that_is_no_plain_yaml_is_an_error_of_the_file(text: str) -> None:
    assert refusal(text).startswith("reading assent.yaml")


@pytest.mark.threat(39)
def test_a_file_that_no_person_writes_is_not_read() -> None:
    assert "larger than 1,048,576 bytes" in refusal(MINIMAL + "#" * 2**20)


def test_classes_that_are_numbers_name_columns_of_scores() -> None:
    for written in ("{0: p0, 1: p1, yes: p2}", '{"0": p0, "1": p1, "yes": p2}'):
        line = f"predictions: {{path: p.csv, id: id, label: y, score: {written}}}"
        settings = read(with_line(line)).models["churn"].predictions
        assert settings is not None
        assert settings.score == {"0": "p0", "1": "p1", "yes": "p2"}
    line = "predictions: {path: p.csv, id: id, label: y, score: {true: p, false: q, 1.5: r}}"
    settings = read(with_line(line)).models["churn"].predictions
    assert settings is not None
    assert settings.score == {"true": "p", "false": "q", "1.5": "r"}


def test_whether_a_metric_has_an_interval_shows_when_evidence_is_there() -> None:
    gate = "{metric: 'results.arc.acc,none', max_drop: 1%, confident: true}"
    (_, found) = read(MINIMAL + f"      - {gate}\n").policies["churn"].gates
    assert isinstance(found, MetricGate)
    assert found.confident


def test_the_metric_that_people_see_first_is_named_by_the_model() -> None:
    assert read(with_line("primary: rmse")).policies["churn"].primary == "rmse"
    assert read(MINIMAL).policies["churn"].primary is None
    assert "primary" in refusal(with_line("primary: 3"))


@pytest.mark.parametrize("key", ["label", "prediction"])
def test_several_columns_of_labels_are_said_to_be_that(key: str) -> None:
    columns = {"path": "p.csv", "id": "i", "label": "y", "prediction": "p", key: "[a, b]"}
    written = ", ".join(f"{name}: {value}" for name, value in columns.items())
    said = refusal(with_line(f"predictions: {{{written}}}"))
    assert f"predictions.{key}" in said
    assert "several labels of one example are read from rows" in said
