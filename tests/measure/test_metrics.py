from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assent.core.evidence import REDACTED
from assent.core.scalar import NonFinite, Scalar
from assent.measure.metrics import cell, read_metrics


def problems(root: Path, *patterns: str) -> dict[str, str]:
    return {one.source: one.problem for one in read_metrics(root, patterns).problems}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.json", '{"test": {"auc": 0.9, "n": 10, "ok": true, "by": "hand", "none": null}}'),
        ("m.yaml", "test: {auc: 9e-1, n: 10, ok: true, by: hand, none: }"),
        ("M.YML", "test:\n  auc: 0.9\n  n: 10\n  ok: true\n  by: hand\n  none: ~\n"),
    ],
)
def test_leaves_keep_their_type(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    read = read_metrics(tmp_path, [name])
    expected = {
        "test.auc": 0.9,
        "test.n": 10,
        "test.ok": True,
        "test.by": "hand",
        "test.none": None,
    }
    assert read.metrics == expected
    assert [type(value) for value in read.metrics.values()] == [float, int, bool, str, type(None)]
    assert read.problems == ()


def test_toml_and_several_files(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("loss = inf\nwhen = 2024-01-02\n[a]\nb = 1\n")
    (tmp_path / "b.json").write_text('{"c": 1}')
    read = read_metrics(tmp_path, ["*.toml", "b.json", "*.json"])
    assert read.metrics == {"loss": NonFinite("inf"), "when": "2024-01-02", "a.b": 1, "c": 1}
    assert read.problems == ()


@pytest.mark.threat(14)
def test_what_is_not_a_number_is_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"a": NaN, "b": -Infinity, "c": "NaN", "d": null, "e": true}')
    read = read_metrics(tmp_path, ["m.json"])
    assert read.metrics == {
        "a": NonFinite("nan"),
        "b": NonFinite("-inf"),
        "c": "NaN",
        "d": None,
        "e": True,
    }
    assert msgspec.json.decode(msgspec.json.encode(read.metrics), type=dict[str, Scalar]) == (
        read.metrics
    )


def test_a_list_of_plain_values_is_a_series_and_no_metric(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"loss": [3, 2.5, NaN], "one": [1], "none": [], "auc": 1}')
    read = read_metrics(tmp_path, ["m.json"])
    assert read.series == {"loss": (3, 2.5, NonFinite("nan")), "one": (1,), "none": ()}
    assert read.metrics == {"auc": 1}


def test_in_any_other_list_the_position_is_part_of_the_name(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(
        '{"confusion": [[1, 2], [3, 4]], "folds": [{"auc": 0.5}, {"auc": {"mean": 0.7}}], "n": [1]}'
    )
    read = read_metrics(tmp_path, ["m.json"])
    assert read.series == {"confusion.0": (1, 2), "confusion.1": (3, 4), "n": (1,)}
    assert read.metrics == {"folds.0.auc": 0.5, "folds.1.auc.mean": 0.7}
    assert read.problems == ()


@pytest.mark.parametrize("header", ["metric,value", "Name, Value"])
def test_csv_of_names_and_values(tmp_path: Path, header: str) -> None:
    (tmp_path / "m.csv").write_text(f"{header}\nauc,0.9\nok,True\nnote,hello\nnone,\nx,nan\n")
    read = read_metrics(tmp_path, ["m.csv"])
    assert read.metrics == {
        "auc": 0.9,
        "ok": True,
        "note": "hello",
        "none": None,
        "x": NonFinite("nan"),
    }


def test_csv_with_one_row_gives_values(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("auc,loss\n0.9,1e-3\n")
    read = read_metrics(tmp_path, ["m.csv"])
    assert (read.metrics, read.series) == ({"auc": 0.9, "loss": 0.001}, {})


def test_csv_with_several_rows_gives_series(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_text("fold\tloss\n1\t0.5\n2\t-inf\n")
    read = read_metrics(tmp_path, ["m.tsv"])
    assert (read.metrics, read.series) == ({}, {"fold": (1, 2), "loss": (0.5, NonFinite("-inf"))})


def test_of_a_training_log_the_last_values_are_metrics_too(tmp_path: Path) -> None:
    (tmp_path / "keras.csv").write_text("epoch,loss,val_loss\n0,0.9,1.1\n1,0.4,0.7\n")
    read = read_metrics(tmp_path, ["keras.csv"])
    assert read.metrics == {
        "last.loss": 0.4,
        "best.loss": 0.4,
        "best_at.loss": 1,
        "last.val_loss": 0.7,
        "best.val_loss": 0.7,
        "best_at.val_loss": 1,
    }
    assert read.series["loss"] == (0.9, 0.4)
    (tmp_path / "metrics.csv").write_text(
        "acc,epoch,step,train_loss,never\n,0,9,0.9,\n0.8,0,9,,\n,1,19,0.4,\n"
    )
    read = read_metrics(tmp_path, ["metrics.csv"])
    assert read.metrics == {
        "last.acc": 0.8,
        "best.acc": 0.8,
        "best_at.acc": 0,
        "last.train_loss": 0.4,
        "best.train_loss": 0.4,
        "best_at.train_loss": 1,
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            {"loss": [0.9, 0.4, 0.5], "lr": [1, 2, 3]},
            {"last.loss": 0.5, "best.loss": 0.4, "best_at.loss": 2, "last.lr": 3},
        ),
        (
            {"history": {"val_loss": [0.9, float("nan")], "names": ["a", "b"]}},
            {
                "last.history.val_loss": NonFinite("nan"),
                "best.history.val_loss": 0.9,
                "best_at.history.val_loss": 1,
            },
        ),
        (
            {"valid_0": {"auc": [0.7, 0.9, 0.9]}},
            {"last.valid_0.auc": 0.9, "best.valid_0.auc": 0.9, "best_at.valid_0.auc": 2},
        ),
        ({"fpr": [0.1, 0.2], "tpr": [0.1, 0.9]}, {}),  # the points of a curve
        ({"f1": [0.7, 0.9, 0.9]}, {}),  # of classes
        ({"loss": [0.7], "acc": [0.9]}, {}),
        ({"loss": [0.7, 0.6], "acc": [0.9]}, {}),
        (
            {"loss": [0.7, 0.6], "best": {"loss": 0.1}},
            {"best.loss": 0.1, "last.loss": 0.6, "best_at.loss": 2},
        ),
    ],
)
def test_of_a_training_in_json_there_are_last_and_best(
    tmp_path: Path, content: Any, expected: dict[str, Scalar]
) -> None:
    (tmp_path / "history.json").write_text(json.dumps(content))
    read = read_metrics(tmp_path, ["history.json"])
    assert read.metrics == expected
    assert read.problems == ()


def test_the_state_of_a_trainer_gives_its_last_figures(tmp_path: Path) -> None:
    state = {
        "best_metric": 0.1,
        "epoch": 2.0,
        "log_history": [
            {"epoch": 1.0, "step": 5, "loss": 0.9},
            {"epoch": 1.0, "step": 5, "eval_loss": 0.8, "eval_f1": 0.6},
            {"epoch": 2.0, "step": 9, "eval_loss": 0.5, "eval_f1": 0.7},
        ],
    }
    (tmp_path / "trainer_state.json").write_text(json.dumps(state))
    read = read_metrics(tmp_path, ["trainer_state.json"])
    assert read.metrics == {
        "loss": 0.9,
        "best.loss": 0.9,
        "best_at.loss": 5,
        "eval_loss": 0.5,
        "best.eval_loss": 0.5,
        "best_at.eval_loss": 9,
        "eval_f1": 0.7,
        "best.eval_f1": 0.7,
        "best_at.eval_f1": 9,
    }
    assert (read.series, read.problems) == ({}, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Accuracy: 0.8\n", {"Accuracy": 0.8}),
        ("\nAccuracy = 0.95, F1 Score = 9e-1", {"Accuracy": 0.95, "F1 Score": 0.9}),
        ('# Scores of 2 models\n\nA: 0.8\n\n![a plot](plot.png "P")\n![](x)\n', {"A": 0.8}),
        ("r2=-1; n: 12\n\nloss : nan", {"r2": -1, "n": 12, "loss": NonFinite("nan")}),
    ],
)
def test_text_of_names_and_figures(tmp_path: Path, text: str, expected: dict[str, Scalar]) -> None:
    (tmp_path / "m.txt").write_text(text)
    read = read_metrics(tmp_path, ["m.txt"])
    assert (read.metrics, read.problems) == (expected, ())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 12 ", 12),
        ("-0", 0),
        ("+3", 3),
        ("1.", 1.0),
        (".5e2", 50.0),
        ("FALSE", False),
        ("Infinity", NonFinite("inf")),
        ("+nan", NonFinite("nan")),
        ("1e999", NonFinite("inf")),
        ("007", "007"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("٣", "٣"),
        ("9" * 5000, "9" * 5000),
        ("18446744073709551616", "18446744073709551616"),
        ("n/a", "n/a"),
        ("", None),
    ],
)
def test_cells(text: str, value: Scalar) -> None:
    read = cell(text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.threat(14)
@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("m.json", b"{", "Expecting"),
        ("m.json", b"[1, 2]", "not a mapping"),
        ("m.json", b"0.9", "not a mapping"),
        ("m.json", b"{}", "no value"),
        ("m.yaml", b"", "not a mapping"),
        ("m.yaml", b"a: 1\na: 2", "twice"),
        ("m.json", b'{"a.b": 1, "a": {"b": 2}}', "twice"),
        ("m.toml", b"a = ", "Invalid"),
        ("m.csv", b"a,b\n1\n", "1 cells"),
        ("m.csv", b"a,a\n1,2\n", "twice"),
        ("m.csv", b",a\n0,1\n", "without a name"),
        ("m.csv", b"metric,value\nauc,1\nauc,2\n", "twice"),
        ("m.csv", b"a,b\n", "no value"),
        ("m.csv", b"", "no value"),
        ("m.json", b'{"a": "\xff"}', "not UTF-8"),
        ("m.txt", b"auc 0.9", "is not `name: value`"),
        ("m.txt", b"auc: 0.9\nafter 3 epochs", "line 2: 'after 3 epochs' is not"),
        ("m.txt", b"auc: 90%", "'auc: 90%' is not"),
        ("m.txt", b"auc: 1,auc: 2", "twice"),
        ("m.txt", b"auc: 1\n# f1: 0.5", "line 2: '# f1: 0.5' is not"),
        ("m.txt", b"auc: 1\n![a](b) f1 0.5", "line 2"),
        ("m.txt", b"#hashtag", "is not"),
        ("m.txt", b"# Only a heading", "no value"),
        ("m.txt", b"\xff", "not UTF-8"),
        ("m.txt", b"a: 1\n" * 10_001, "more than 10,000 lines"),
        ("trainer_state.json", b"[]", "no `log_history`"),
        ("trainer_state.json", b'{"log_history": [1]}', "no `log_history`"),
        ("m", b"auc 0.9", "not a format"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem(
    tmp_path: Path, name: str, content: bytes, part: str
) -> None:
    (tmp_path / name).write_bytes(content)
    read = read_metrics(tmp_path, [name])
    assert (read.metrics, read.series) == ({}, {})
    assert [one.source for one in read.problems] == [name]
    assert part in read.problems[0].problem


@pytest.mark.threat(14)
def test_what_is_missing_is_a_problem_by_pattern(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert problems(tmp_path, "m.json", "r/*.csv", "empty", "../x") == {
        "m.json": "no such file",
        "r/*.csv": "no such file",
        "empty": "no such file",
        "../x": "the path leaves the repository",
    }


@pytest.mark.threat(14)
def test_a_name_that_two_files_give_has_no_value(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"auc": 0.9, "f1": 1}')
    (tmp_path / "b.yaml").write_text("auc: [1, 2]")
    read = read_metrics(tmp_path, ["a.json", "b.yaml"])
    assert (read.metrics, read.series) == ({"f1": 1}, {})
    assert problems(tmp_path, "*") == {"b.yaml": "the name 'auc' is given by a.json as well"}


@pytest.mark.threat(39)
def test_hostile_files_are_problems(tmp_path: Path) -> None:
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(2**40)
    (tmp_path / "deep.json").write_text("[" * 100_000 + "]" * 100_000)
    (tmp_path / "deep.yaml").write_text("[" * 100_000 + "]" * 100_000)
    (tmp_path / "self.yaml").write_text("a: &a [*a]")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "passwd.json").symlink_to("/etc/passwd")
    found = problems(tmp_path, "huge.json", "deep.*", "self.yaml", "pipe.json", "passwd.json")
    assert sorted(found) == [
        "deep.json",
        "deep.yaml",
        "huge.json",
        "passwd.json",
        "pipe.json",
        "self.yaml",
    ]
    assert "outside" in found["passwd.json"]
    assert "32 MiB" in found["huge.json"]


@pytest.mark.threat(38)
def test_text_is_redacted_and_numbers_are_not(tmp_path: Path) -> None:
    token = "ghp_" + "a1" * 18
    (tmp_path / "m.json").write_text(
        json.dumps({"api_key": "hunter2", "by": token, "auth": 0.98, "per": [token]})
    )
    read = read_metrics(tmp_path, ["m.json"])
    assert read.metrics == {"api_key": REDACTED, "by": REDACTED, "auth": 0.98}
    assert read.series == {"per": (REDACTED,)}


def mlflow_run(root: Path, **metrics: str) -> None:
    """A run as MLflow's file store keeps it."""
    run = root / "mlruns" / "0" / "ab12"
    meta = "artifact_uri: file:///x\nend_time: 1700000000\nrun_id: ab12\nrun_name: calm-owl\n"
    for name, text in {"meta.yaml": meta, "params/depth": "3", **metrics}.items():
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text(text)


def test_metrics_of_a_run_of_mlflow_are_those_of_the_last_step(tmp_path: Path) -> None:
    history = "1700000003000 0.9 20\n1700000001000 0.95 10\n1700000000000 0.5 0\n"
    mlflow_run(
        tmp_path,
        **{
            "metrics/accuracy": history,
            "metrics/val/loss": "1700000000000 0.25 7 data 12ab\n",
            "metrics/rmse.v2": "1700000000000 nan\n",
        },
    )
    read = read_metrics(tmp_path, ["mlruns/0/*/metrics/**"])
    assert read.problems == ()
    assert read.metrics == {
        "accuracy": 0.9,
        "best.accuracy": 0.95,
        "best_at.accuracy": 10,
        "val/loss": 0.25,
        "rmse.v2": NonFinite("nan"),
    }


@pytest.mark.threat(14)
def test_what_else_a_run_of_mlflow_has_is_no_metric(tmp_path: Path) -> None:
    mlflow_run(tmp_path, **{"metrics/accuracy": "1700000000000 0.9 0\n"})
    said = problems(tmp_path, "mlruns/0/ab12")
    assert set(said) == {"mlruns/0/ab12/meta.yaml", "mlruns/0/ab12/params/depth"}
    assert all("name the files of its folder `metrics`" in one for one in said.values())
    assert read_metrics(tmp_path, ["mlruns/0/ab12"]).metrics == {"accuracy": 0.9}


@pytest.mark.threat(14)
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no value"),
        ("0.9\n", "not `timestamp value step`"),
        ("1700000000000 high 0\n", "'high' is no number"),
    ],
)
def test_a_damaged_metric_of_mlflow_is_a_problem(tmp_path: Path, text: str, problem: str) -> None:
    mlflow_run(tmp_path, **{"metrics/accuracy": text})
    (said,) = problems(tmp_path, "mlruns/0/ab12/metrics/*").values()
    assert problem in said


def test_two_runs_of_mlflow_are_not_mixed(tmp_path: Path) -> None:
    mlflow_run(tmp_path, **{"metrics/accuracy": "1 0.9 0\n", "../cd34/meta.yaml": "run_id: cd34\n"})
    mlflow_run(tmp_path, **{"../cd34/metrics/accuracy": "1 0.1 0\n"})
    read = read_metrics(tmp_path, ["mlruns/0/*/metrics/*"])
    assert read.metrics == {}
    assert len(read.problems) == 1


def test_files_called_metrics_without_a_run_are_read_as_before(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "m.json").write_text('{"auc": 0.9}')
    (tmp_path / "meta.yaml").write_text("auc2: 0.8")
    read = read_metrics(tmp_path, ["metrics/*", "meta.yaml"])
    assert read.metrics == {"auc": 0.9, "auc2": 0.8}
