"""The text of `assent.yaml`: whatever was seen, Assent reads it and it says that."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assent.config.read import read_config
from assent.parsing import parse_yaml
from assent.setup.config_text import comment, config_text, scalar
from assent.setup.seen import ModelSeen, Predictions, Project, Seen

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
seen = st.builds(Seen, value=texts, why=st.text(max_size=30))
models = st.builds(
    ModelSeen,
    name=st.just("churn"),
    train=seen | st.none(),
    evaluate=seen | st.none(),
    model=seen | st.none(),
    inputs=st.lists(seen, min_size=1, max_size=3).map(tuple),
    left_out=st.lists(seen, max_size=2).map(tuple),
    params=st.lists(seen, max_size=2).map(tuple),
    metrics=st.lists(seen, min_size=1, max_size=2).map(tuple),
    data=st.dictionaries(texts, seen, max_size=2),
    plots=st.lists(seen, max_size=2).map(tuple),
    predictions=st.none()
    | st.builds(
        Predictions, path=texts, id=texts, label=texts, prediction=texts, score=st.none(), why=texts
    ),
    gates=st.sampled_from([(), ("accuracy",), ("F1 Score", "a, b: x.loss"), ("x#y.auc",)]),
    others=st.dictionaries(
        st.sampled_from(["train", "model"]), st.lists(seen, max_size=2).map(tuple)
    ),
    advice=st.lists(st.text(max_size=50), max_size=3).map(tuple),
)


@given(models, st.text(max_size=40))
def test_whatever_was_seen_is_written_so_that_it_is_read_again(model: ModelSeen, note: str) -> None:
    text = config_text(Project(folder="", models=(model,), notes=(note,)))
    read = read_config(text.encode(), "assent.yaml").models["churn"]
    assert read.model == (model.model.value if model.model else "TODO")
    assert read.inputs == tuple(one.value for one in model.inputs)
    assert read.metrics == tuple(one.value for one in model.metrics)
    assert read.plots == tuple(one.value for one in model.plots)
    assert {name: its.path for name, its in read.data_sets.items()} == {
        name: one.value for name, one in model.data.items()
    }
    if model.train is not None:
        assert read.train == model.train.value
    if model.predictions is not None:
        assert read.predictions is not None
        assert read.predictions.label == model.predictions.label


@given(texts)
def test_a_text_stays_what_it_is(text: str) -> None:
    assert parse_yaml(f"key: {scalar(text)}".encode()) == {"key": text}
    assert parse_yaml(f"[{scalar(text, in_list=True)}]".encode()) == [text]


def test_plain_texts_are_not_quoted() -> None:
    for text in ("python train.py --lr 0.1", "a && b | c > d", "data/**", "cd x && (python a.py)"):
        assert scalar(text) == text
    for text in ("yes: no", "1.0", "true", "# x", "a #b", "{x}", "*a", "&a", "- a", "@a"):
        assert scalar(text).startswith('"')


@given(st.text(max_size=300))
def test_a_comment_is_one_short_line(text: str) -> None:
    assert len(comment(text).splitlines()) <= 1
    assert len(comment(text)) <= 160


def written(gates: tuple[str, ...], predictions: Predictions | None) -> str:
    model = ModelSeen(name="churn", predictions=predictions, gates=gates)
    return config_text(Project(folder="", models=(model,)))


def test_what_predictions_give_is_judged_by_its_interval() -> None:
    scored = Predictions(path="p.csv", id="id", label="y", prediction="yhat", score="p", why="")
    plain = Predictions(path="p.csv", id="id", label="y", prediction="yhat", score=None, why="")
    gates = ("accuracy", "roc_auc", "latency_ms", "test.accuracy")
    both = written(gates, scored)
    assert "{metric: accuracy, max_drop: 1%, confident: true, undecided: approve}" in both
    assert "{metric: roc_auc, max_drop: 1%, confident: true, undecided: approve}" in both
    assert "{metric: latency_ms, max_rise: 1%, undecided: approve}" in both
    # the predictions do not call it so
    assert "{metric: test.accuracy, max_drop: 1%, undecided: approve}" in both
    assert "{metric: roc_auc, max_drop: 1%, undecided: approve}" in written(gates, plain)
    assert "confident" not in written(gates, None)
