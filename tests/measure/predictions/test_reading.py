"""The team's file as compact Parquet, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

from assent.compare.predictions import compare_predictions
from assent.compare.predictions.table import PredictionTable
from assent.config.settings import PredictionsSettings
from assent.core.evidence import Predictions
from assent.errors import UsageError
from assent.measure.predictions import load_predictions, read_predictions

Columns = dict[str, list[Any]]
ROWS: Columns = {
    "id": [3, 1, 2, 4],
    "y": [1, 0, 1, 0],
    "yhat": [1, 1, 0, 0],
    "p": [0.9, 0.6, 0.25, 0.125],
    "region": ["north", "south", None, "north"],
    "age": [30, 40, 50, 60],
    "secret": ["a", "b", "c", "d"],
}
NO_PREDICTION = {"prediction": None}
SETTINGS: dict[str, Any] = {"id": "id", "label": "y", "prediction": "yhat", "score": "p"}


def write(root: Path, name: str, columns: Columns) -> None:
    table, path = pa.table(columns), root / name
    if name.endswith(".parquet"):
        pq.write_table(table, path)
    elif name.endswith(".csv"):
        pcsv.write_csv(table, path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))


def read(
    root: Path, columns: Columns, name: str = "p.parquet", **settings: Any
) -> tuple[Predictions, bytes]:
    write(root, name, columns)
    return read_predictions(root, PredictionsSettings(path=name, **{**SETTINGS, **settings}))


def loaded(root: Path, columns: Columns, name: str = "p.parquet", **more: Any) -> PredictionTable:
    meta, content = read(root, columns, name, **more)
    return load_predictions(content, meta)


def without(columns: Columns, *names: str) -> Columns:
    return {name: values for name, values in columns.items() if name not in names}


@pytest.mark.parametrize("name", ["p.parquet", "p.csv", "p.jsonl"])
def test_every_format_gives_the_same_table(tmp_path: Path, name: str) -> None:
    table = loaded(tmp_path, ROWS, name, slices=("region",), shown=("age",))
    assert (table.task, table.classes, table.positive) == ("binary", ("0", "1"), "1")
    assert table.ids.tolist() == [1, 2, 3, 4]
    assert table.label.tolist() == [0, 1, 1, 0]
    assert table.prediction is not None
    assert table.prediction.tolist() == [1, 0, 1, 0]
    assert table.scores is not None
    assert table.scores.tolist() == [0.6, 0.25, 0.9, 0.125]
    region = table.slices["region"]
    assert [region.values[code] for code in region.codes] == ["south", "(none)", "north", "north"]
    assert [str(age) for age in table.shown["age"]] == ["40", "50", "30", "60"]


def test_only_declared_columns_are_kept(tmp_path: Path) -> None:
    _, content = read(tmp_path, ROWS, slices=("region",))
    assert pq.read_table(pa.BufferReader(content)).column_names == [
        "id",
        "label",
        "prediction",
        "score",
        "slice.region",
    ]
    assert b"secret" not in content


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    rows = 10_000
    random = np.random.default_rng(0)
    columns: Columns = {
        "id": [f"row-{n}" for n in range(rows)],
        "y": random.integers(0, 2, rows).tolist(),
        "p": random.random(rows).tolist(),
        "g": random.integers(0, 50, rows).tolist(),
    }
    settings: dict[str, Any] = {"prediction": None, "group": "g"}
    meta, content = read(tmp_path, columns, **settings)
    shuffled = random.permutation(rows)
    moved = {name: [values[at] for at in shuffled] for name, values in columns.items()}
    assert read(tmp_path, moved, **settings) == (meta, content)
    assert len(content) < 20 * rows


@pytest.mark.parametrize(
    ("columns", "settings", "task"),
    [
        ({"y": [0, 1, 1, 0]}, {}, "binary"),
        ({"y": list("abca"), "yhat": list("abbc")}, {"score": None}, "multiclass"),
        ({"y": [1, 2, 3, 1], "yhat": [1, 2, 3, 3]}, {"score": None}, "multiclass"),
        ({"y": [1, 2, 3, 1], "yhat": [1.5, 2.0, 3.0, 1.0]}, {"score": None}, "regression"),
        ({"y": [1.5, 2.5, 3.0, 1.0], "yhat": [1.5, 2.0, 3.0, 1.0]}, {"score": None}, "regression"),
        ({"y": [0, 1, 2, 0]}, {"prediction": None, "group": "g"}, "ranking"),
        ({"y": [0, 1, 1, 0]}, {"prediction": None, "group": "g"}, "binary"),
        ({"y": [0, 1, 1, 0]}, {"prediction": None, "group": "g", "task": "ranking"}, "ranking"),
        ({"y": [True, False, True, False]}, {"prediction": None}, "binary"),
        ({"y": ["0.0", "1.0", "0.0", "1.0"], "yhat": ["0", "1", "1", "1"]}, {}, "binary"),
        ({"y": ["True", "False", "True", "False"], "yhat": [1.0, 0.0, 0.0, 1.0]}, {}, "binary"),
        ({"y": list("1231"), "yhat": ["1.0", "2", "3.0", "1.0"]}, {"score": None}, "multiclass"),
        ({"y": [1.0, 2.0, 3.0, 1.0], "yhat": [1, 2, 3, 1]}, {"score": None}, "multiclass"),
    ],
)  # fmt: skip
def test_the_task_is_inferred_or_stated(
    tmp_path: Path, columns: Columns, settings: dict[str, Any], task: str
) -> None:
    rows = {**ROWS, "g": [1, 1, 2, 2], **columns}
    assert loaded(tmp_path, rows, **settings).task == task


@pytest.mark.parametrize(
    ("label", "prediction", "classes"),
    [
        ([1, 0, 1, 0], [1.0, 0.0, 1.0, 1.0], ("0", "1")),
        ([True, False, True, False], [1, 0, 1, 1], ("0", "1")),
        (["1", "0", "1", "0"], [1, 0, 1, 1], ("0", "1")),
        ([True, False, True, False], ["True", "False", "True", "True"], ("false", "true")),
        (["01", "1", "01", "1"], ["01", "1", "01", "01"], ("01", "1")),
        ([1, -1, 1, -1], [1, -1, 1, 1], ("-1", "1")),
    ],
)
def test_one_class_has_one_name(
    tmp_path: Path, label: list[Any], prediction: list[Any], classes: tuple[str, ...]
) -> None:
    rows = {**ROWS, "y": label, "yhat": prediction}
    table = loaded(tmp_path, rows, score=None)
    assert sorted(table.classes) == sorted(classes)
    assert table.prediction is not None
    assert (table.label == table.prediction).sum() == 3


@pytest.mark.parametrize(
    ("label", "stated", "positive"),
    [
        (["No", "Yes", "No", "Yes"], None, "Yes"),
        (["YES", "a", "YES", "a"], None, "YES"),
        (["true", "false", "true", "false"], None, "true"),
        ([1, 2, 1, 2], None, "1"),
        ([0, 1, 0, 1], None, "1"),
        ([-1, 1, 1, 1], None, "1"),
        (["cat", "dog", "cat", "dog"], None, "dog"),
        (["No", "Yes", "No", "Yes"], True, "Yes"),
        (["No", "Yes", "No", "Yes"], False, "No"),
        (["No", "Yes", "No", "Yes"], "No", "No"),
        ([0, 1, 0, 1], False, "0"),
        ([0, 1, 0, 1], "1.0", "1"),
        (["0.0", "1.0", "0.0", "1.0"], 1, "1"),
        ([True, False, True, False], True, "true"),
        (["no", "no", "no", "no"], "yes", "yes"),
    ],
)
def test_the_positive_class_is_stated_or_the_documented_one(
    tmp_path: Path, label: list[Any], stated: Any, positive: str
) -> None:
    table = loaded(tmp_path, {**ROWS, "y": label}, prediction=None, positive=stated)
    assert table.positive == positive


def test_ids_of_numbers_and_of_text_are_the_same(tmp_path: Path) -> None:
    as_number = loaded(tmp_path, ROWS)
    as_text = loaded(tmp_path, {**ROWS, "id": ["3", "1", "2", "4"]})
    as_float = loaded(tmp_path, {**ROWS, "id": [3.0, 1.0, 2.0, 4.0]})
    mixed = loaded(tmp_path, {**ROWS, "id": ["3", "1", "2", "x"]})
    text_of_floats = loaded(tmp_path, {**ROWS, "id": ["3.0", "1.0", "2.0", "4.0"]})
    versions = loaded(tmp_path, {**ROWS, "id": ["3.0", "1.0", "2.1", "4.0"]})
    for other, joined in (
        (as_text, 4),
        (as_float, 4),
        (mixed, 3),
        (text_of_floats, 4),
        (versions, 0),
    ):
        assert compare_predictions(as_number, other)[0].joined == joined
        assert compare_predictions(other, as_number)[0].joined == joined
    padded = loaded(tmp_path, {**ROWS, "id": ["03", "01", "02", "04"]})
    assert compare_predictions(as_number, padded)[0].joined == 0


def test_scores_of_two_classes_are_one_score(tmp_path: Path) -> None:
    rows = {**ROWS, "y": ["no", "yes", "no", "no"], "q": [0.1, 0.4, 0.75, 0.875]}
    settings: dict[str, Any] = {
        "prediction": None,
        "score": {"no": "q", "yes": "p"},
        "positive": "yes",
    }
    table = loaded(tmp_path, rows, **settings)
    assert (table.task, table.positive) == ("binary", "yes")
    assert table.scores is not None
    assert table.scores.tolist() == [0.6, 0.25, 0.9, 0.125]


def test_scores_of_many_classes_are_columns_in_their_order(tmp_path: Path) -> None:
    rows: Columns = {
        "id": [1, 2, 3],
        "y": ["b", "a", "c"],
        **{f"p{n}": [0.1 * n, 0.3, 0.6] for n in range(3)},
    }
    settings: dict[str, Any] = {"prediction": None, "score": {"b": "p1", "a": "p0", "c": "p2"}}
    table = loaded(tmp_path, rows, **settings)
    assert table.classes == ("a", "b", "c")
    assert table.scores is not None
    assert table.scores[0].tolist() == [0.0, 0.1, 0.2]


@pytest.mark.parametrize(
    ("columns", "settings", "problem"),
    [
        ({"id": [1, 1, 2, 3]}, {}, "1 rows have the 'id' of another row"),
        ({"id": [1, None, 2, 3]}, {}, "1 rows have no 'id'"),
        ({"y": [1, None, 0, 1]}, {}, "1 row has no label in 'y'"),
        ({"yhat": [1, None, None, 1]}, {}, "2 rows have no prediction in 'yhat'"),
        ({"p": [0.1, None, 0.2, 0.3]}, {}, "1 row has no finite score in 'p'"),
        ({"p": [0.1, float("nan"), 0.2, 0.3]}, {}, "1 row has no finite score in 'p'"),
        ({"p": [0.1, float("inf"), 0.2, 0.3]}, {}, "1 row has no finite score in 'p'"),
        ({"y": [0.5, float("nan"), 1.5, 2]}, {"score": None}, "no finite label in 'y'"),
        ({"y": [1.0, float("nan"), 0.0, 0.0]}, {}, "no finite label in 'y'"),
        ({"p": ["high", "low", "low", "low"]}, {}, "4 rows have no finite score in 'p'"),
        ({"y": list("xxxx"), "yhat": list("xxxx")}, {}, "which class the score"),
        ({"y": list("xyxy"), "yhat": list("xxxy")}, {"positive": "z"}, "classes are 'x', 'y'$"),
        ({"y": list("xyxy"), "yhat": list("xxxy")}, {"positive": True}, "is 'true', the classes"),
        ({"y": [0.5, 1.5, 2.5, 0.5]}, {}, r"'y' holds numbers \('0.5', '1.5', '2.5'\)"),
        ({"y": [0.5, 1.5, 2.5, 3.5]}, {"task": "regression"}, "a score is one of classes"),
        ({"y": list("abcd")}, {"task": "binary"}, r"\('0', '1', 'a', …\)"),
        ({"y": list("abcd")}, {"task": "regression", "score": None}, r"\('a', 'b', 'c'\)"),
        ({}, {"score": "q"}, "no column 'q'"),
        ({}, {"slices": ("regoin",)}, "no column 'regoin'"),
        ({"region": [[1], [2], [3], [4]]}, {"slices": ("region",)}, "not plain values"),
        ({"id": ["x" * 201, "b", "c", "d"]}, {}, "longer than 200"),
        ({"y": [1, 2, 3, 1]}, {"task": "binary"}, "4 classes in a binary"),
        ({"y": [1, 2, 3, 1]}, {"task": "multiclass"}, "one column of scores"),
        ({}, {"task": "ranking"}, "needs one column `score`, and the column `group`"),
        ({name: [] for name in ROWS}, {}, "it has no rows"),
        ({"y": [0, 1, 2, 2]}, {**NO_PREDICTION, "score": {"0": "p", "1": "p"}}, "no column of"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused(
    tmp_path: Path, columns: Columns, settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        read(tmp_path, {**ROWS, **columns}, **settings)
    assert caught.value.doing == "reading predictions from p.parquet"


def test_a_near_name_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, ROWS, slices=("regoin",))
    assert caught.value.hint == "did you mean 'region'?"


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("p.parquet", b"PAR1 not really", "cannot be read"),
        ("p.csv", b"\xff\xfe\x00\x01", "p.csv is written in UTF-16"),
        ("p.jsonl", b'{"id": 1, "y":', "no column|cannot be read"),
        ("p.xlsx", b"x", "is not read"),
    ],
)
def test_a_broken_file_is_a_problem(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=problem):
        read_predictions(tmp_path, PredictionsSettings(path=name, **SETTINGS))


@pytest.mark.threat(39)
@pytest.mark.parametrize("path", ["../p.parquet", "/etc/passwd.csv", "missing.csv", "link.csv"])
def test_nothing_outside_is_read(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    write(tmp_path, "p.parquet", ROWS)
    (root / "link.csv").symlink_to(tmp_path / "p.parquet")
    with pytest.raises(UsageError):
        read_predictions(root, PredictionsSettings(path=path, **SETTINGS))


def test_names_with_quotes_and_stars_are_names(tmp_path: Path) -> None:
    odd = "re\"gion'; DROP TABLE read; --"
    columns = {**without(ROWS, "region"), odd: ["a'b", 'c"d', "e", "f"]}
    write(tmp_path, "p[*]'1.parquet", columns)
    settings = PredictionsSettings(path="p[*]'1.parquet", slices=(odd,), **SETTINGS)
    meta, content = read_predictions(tmp_path, settings)
    assert load_predictions(content, meta).slices[odd].values == ("a'b", 'c"d', "e", "f")


def test_ids_of_json_stay_as_they_are(tmp_path: Path) -> None:
    """A string that looks like a UUID is a string, and a number may have any number of digits."""
    for ids in (
        [f"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD38001{at}" for at in range(4)],
        ["2024-01-01T00:00:00", "2024-01-01", "007", "7"],
        [92233720368547758000 + at for at in range(4)],
        [2**64 - 1, 2**53, 2**53 + 1, 1],
    ):
        lines = [
            json.dumps({"id": one, "y": at % 2, "yhat": 1, "p": 0.5}) for at, one in enumerate(ids)
        ]
        (tmp_path / "p.jsonl").write_text("\n".join(lines))
        meta, content = read_predictions(tmp_path, PredictionsSettings(path="p.jsonl", **SETTINGS))
        assert sorted(load_predictions(content, meta).ids) == sorted(map(str, ids))


def test_a_ragged_line_is_refused(tmp_path: Path) -> None:
    lines = ["id,y,yhat,p", *(f"{at},1,0,0.5" for at in range(100))]
    lines[50] += ",more"
    (tmp_path / "p.csv").write_text("\n".join(lines))
    with pytest.raises(UsageError, match=r"p\.csv, line 51 has 5 cells in place of 4"):
        read_predictions(tmp_path, PredictionsSettings(path="p.csv", **SETTINGS))


@pytest.mark.parametrize(
    "lines",
    [
        "id,y,p\n1,\"['cat', 'dog']\",\"['cat']\"\n2,['dog'],['dog']\n",
        "id,y,p\n1,cat|dog,cat\n2,dog,dog\n",
    ],
)
def test_several_labels_in_one_value_are_no_class(tmp_path: Path, lines: str) -> None:
    (tmp_path / "p.csv").write_text(lines)
    plain = PredictionsSettings(path="p.csv", id="id", label="y", prediction="p")
    with pytest.raises(UsageError) as caught:
        read_predictions(tmp_path, plain)
    assert "is several labels" in caught.value.problem
    assert "one row for each example and label" in str(caught.value.hint)
    stated, _ = read_predictions(
        tmp_path,
        PredictionsSettings(path="p.csv", id="id", label="y", prediction="p", task="multiclass"),
    )
    assert stated.task == "multiclass"


def test_a_column_of_lists_says_how_several_labels_are_read(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"id": 1, "y": [0, 1], "p": [1, 1]}\n')
    with pytest.raises(UsageError, match="not plain values") as caught:
        read_predictions(
            tmp_path, PredictionsSettings(path="p.jsonl", id="id", label="y", prediction="p")
        )
    assert "one row for each example and label" in str(caught.value.hint)


def test_the_long_form_of_several_labels_has_figures_for_each(tmp_path: Path) -> None:
    rows = [(example, tag) for example in range(60) for tag in ("cat", "dog")]
    label = [(example + len(tag) * (tag == "cat")) % 2 for example, tag in rows]
    columns: Columns = {
        "id": [f"{example}/{tag}" for example, tag in rows],
        "example": [example for example, _ in rows],
        "tag": [tag for _, tag in rows],
        "y": label,
        "yhat": [abs(one - (tag == "dog")) for (_, tag), one in zip(rows, label, strict=True)],
    }
    write(tmp_path, "p.parquet", columns)
    settings = PredictionsSettings(
        path="p.parquet", id="id", label="y", prediction="yhat", group="example", slices=("tag",)
    )
    meta, content = read_predictions(tmp_path, settings)
    table = load_predictions(content, meta)
    _, changes = compare_predictions(table, table)
    found = {one.name: one.new for one in changes}
    assert found["slices.tag.cat.accuracy"] == 1
    assert found["slices.tag.dog.accuracy"] == 0
    assert found["accuracy"] == 0.5


@pytest.mark.parametrize("odd", ["nan", "-inf", "NaN"])
@pytest.mark.parametrize(("place", "what"), [(1, "label"), (2, "prediction")])
@pytest.mark.parametrize("step", [0.7, 1])
def test_numbers_of_which_one_is_none_are_no_classes(
    tmp_path: Path, odd: str, place: int, what: str, step: float
) -> None:
    rows = [[str(at), str(at % 5 * step), str(at % 5 * step)] for at in range(40)]
    rows[7][place] = odd
    (tmp_path / "p.csv").write_text("\n".join(map(",".join, [["id", "y", "p"], *rows])))
    plain = PredictionsSettings(path="p.csv", id="id", label="y", prediction="p")
    with pytest.raises(UsageError, match=f"1 row has no finite {what}"):
        read_predictions(tmp_path, plain)


def test_a_class_that_is_called_nan_beside_names_is_one(tmp_path: Path) -> None:
    names = ("cat", "nan", "owl")
    lines = [f"{at},{names[at % 3]},{names[at % 3]}" for at in range(30)]
    (tmp_path / "p.csv").write_text("\n".join(["id,y,p", *lines]))
    plain = PredictionsSettings(path="p.csv", id="id", label="y", prediction="p")
    meta, _ = read_predictions(tmp_path, plain)
    assert (meta.task, set(meta.classes)) == ("multiclass", set(names))
