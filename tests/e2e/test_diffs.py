"""What a review shows beyond metrics files: data, predictions, the model, costs and plots."""

from __future__ import annotations

import json
import math
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.project import CONFIG, FILES, GRACE, Project, new_project

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00\x00\x00\x01" * 2 + b"\x08\x02\x00\x00\x00"
SETTINGS = """\
    predictions:
      path: predictions.csv
      id: id
      label: y
      prediction: yhat
      score: p
      slices: [region]
      shown: [region]
    plots: [plot.png]
    cost: {currency: eur, cpu_hour: 1}
"""
GATES = """\
    gates:
      - {metric: accuracy, min: 0.5, max_drop: 0.02, confident: true}
      - {predictions: negative_flips, max: 20%}
      - {data: train, schema: same}
      - {data: leakage, between: [train, test], max: 0}
      - {metric: cost.model_bytes, max: 1000}
      - {model: safe}
"""
EVALUATE = """\
import json
from pathlib import Path
wrong = int(json.loads(Path("params.json").read_text())["wrong"])
with open("predictions.csv", "w") as file:
    print("id,y,yhat,p,region,name", file=file)
    for i in range(200):
        y = i % 2
        yhat = 1 - y if i < wrong else y
        region = "north" if i < 100 else "south"
        print(f"{i},{y},{yhat},{0.9 if yhat else 0.1},{region},Ann", file=file)
Path("metrics.json").write_text(json.dumps({"accuracy": 1 - wrong / 200}))
Path("plot.png").write_bytes(Path("drawn.png").read_bytes())
"""
TRAIN = """\
import json, os
from pathlib import Path
os.makedirs("model", exist_ok=True)
weights = json.loads(Path("params.json").read_text())
Path("model/model.json").write_text(json.dumps({"weights": weights}))
"""
_DUMP = """\
Path("model/model.pkl").write_bytes(pickle.dumps(E()))
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    config = CONFIG.replace("sh train.sh", "python3 train.py")
    config = config.replace("sh evaluate.sh", "python3 evaluate.py").replace("train.sh", "train.py")
    config = config.replace("params.yaml", "params.json")
    before, _, after = config.partition("    gates:\n")
    config = before + SETTINGS + GATES + after.partition("\n")[2]
    files = {
        **FILES,
        ".gitignore": FILES[".gitignore"] + "predictions.csv\n",
        "assent.yaml": config,
        "params.json": json.dumps({"wrong": 20}),
        "train.py": TRAIN,
        "evaluate.py": EVALUATE,
    }
    for name in ("train.sh", "evaluate.sh", "params.yaml"):
        del files[name]
    project = new_project(tmp_path / "place", files=files)
    for name in ("drawn.png", "plot.png"):
        (project.folder / name).write_bytes(PNG)
    project.commit("Draw a plot", push=True)
    return project


def try_branch(project: Project, name: str, wrong: int) -> None:
    project.branch(name)
    project.write("params.json", json.dumps({"wrong": wrong}))
    project.commit(f"try {name}")


def outcomes(review: Any) -> dict[str, str]:
    return {one["rule"]: one["outcome"] for one in review["report"]["verdict"]["findings"]}


def test_what_rows_are_too_few_to_decide_a_person_decides(project: Project) -> None:
    project.register()
    project.ship("v1")
    try_branch(project, "slightly-worse", wrong=24)
    review = project.run("review", "--json", code=11).json
    gate = "accuracy max_drop 0.02, confident"
    assert outcomes(review)[gate] == "waiting"
    comment = project.comment()
    assert "inconclusive" in comment
    assert "4 (2.0%) were right and are wrong now" in comment
    assert "`region`" in comment
    assert "Ann" not in comment  # only declared columns leave the file
    page = (project.folder / ".assent/review/churn/report.html").read_text()
    assert "data:image/png;base64," in page
    assert page.count("<svg") >= 3
    assert "Ann" not in page

    project.run("approve", "--as", GRACE)
    accepted = project.run("explain", "--json").json
    (finding,) = (one for one in accepted["verdict"]["findings"] if one["rule"] == gate)
    assert finding["outcome"] == "warning"
    assert "accepted by `grace`" in finding["reason"]
    project.merge("slightly-worse")
    project.run("register")
    project.run("verify")
    told = project.run("diff", "v1", "v2").stdout
    assert "accuracy" in told
    assert "were right and are wrong now" in told


def test_more_than_rows_can_excuse_blocks(project: Project) -> None:
    project.register()
    try_branch(project, "worse", wrong=60)
    found = outcomes(project.run("review", "--json", code=10).json)
    assert found["accuracy max_drop 0.02, confident"] == "failed"


def test_rows_in_training_and_test_block(project: Project) -> None:
    project.write("data/test.csv", "x,y\n1,0\n")
    project.commit("leak")
    found = outcomes(project.run("review", "--json", code=10).json)
    assert found["data leakage between train and test max 0"] == "failed"


@pytest.mark.threat(39)
def test_a_pickle_that_runs_code_is_shown_and_blocks(project: Project, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    evil = f"import os\nclass E:\n    def __reduce__(self): return os.system, ('touch {canary}',)\n"
    project.edit("train.py", "import json, os\n", f"import json, os, pickle\n{evil}")
    project.write("train.py", (project.folder / "train.py").read_text() + _DUMP)
    project.commit("evil")
    review = project.run("review", "--json", code=10).json
    assert outcomes(review)["model safe"] == "failed"
    assert "`posix.system`" in project.comment()
    assert not canary.exists()


def test_what_was_measured_goes_with_the_bundle_to_another_job(
    project: Project, tmp_path: Path
) -> None:
    project.run("train")
    project.run("evaluate")
    made = project.run("bundle", "--output", str(tmp_path / "handed"), "--json").json
    taken = project.run("bundle", "--from", str(tmp_path / "handed"), "--json").json
    assert taken["bundle"] == made["bundle"]
    project.run("review", "--bundle", made["bundle"], code=11)
    assert "Predictions" in project.comment()


def test_an_evaluation_that_is_reused_keeps_what_it_measured(project: Project) -> None:
    bundle = project.run("review", "--json", code=11).json["report"]["diff"]["candidate"]["bundle"]
    project.run("evaluate")
    assert project.run("bundle", "--json").json["bundle"] == bundle


def test_examples_can_be_kept_out_of_the_bundle(project: Project) -> None:
    project.edit("assent.yaml", "      shown: [region]\n", "      keep: false\n")
    project.edit("assent.yaml", ", confident: true", "")
    project.edit("assent.yaml", "      - {predictions: negative_flips, max: 20%}\n", "")
    project.commit("keep no examples", push=True)
    evidence = project.run("review", "--json", code=11).json["report"]["evidence"]
    assert evidence["predictions"] is None
    assert evidence["metrics"]["f1"] == pytest.approx(0.9)
    assert not any("predictions" in one["path"] for one in evidence["attachments"])


def test_a_change_cannot_get_rid_of_what_it_is_compared_with(project: Project) -> None:
    gate = "      - {slice: region, metric: f1, max_drop: 0.03}\n      - {model: safe}\n"
    project.edit("assent.yaml", "      - {model: safe}\n", gate)
    project.edit("assent.yaml", ", confident: true", "")
    project.edit("assent.yaml", "      - {predictions: negative_flips, max: 20%}\n", "")
    project.commit("judge slices", push=True)
    project.register()
    try_branch(project, "worse", wrong=40)
    project.edit("assent.yaml", "      shown: [region]\n", "      keep: false\n")
    project.commit("hide it")
    found = outcomes(project.run("review", "--json", code=10).json)
    assert found["slices.region.north.f1 max_drop 0.03"] == "failed"


def test_two_data_sets_without_a_repository(tmp_path: Path) -> None:
    for name, shift in (("old", 0), ("new", 60)):
        rows = "".join(f"{i},{(i * 37) % 100 + shift}\n" for i in range(500))
        (tmp_path / f"{name}.csv").write_text(f"id,value\n{rows}")
    here = Project(tmp_path)
    words = ("diff", "--data", str(tmp_path / "old.csv"), "new.csv", "--key", "id")
    told = here.run(*words, "--save-profile", "new.json.gz").stdout
    assert "severe drift" in told
    (change,) = here.run(*words, "--json").json["diff"]["changes"]
    assert change["rows"]["changed"] == 500
    assert change["rows"]["columns"] == [["value", 500]]
    again = here.run("diff", "--data", "new.json.gz", "new.csv", "--json").json
    assert again["diff"]["changes"][0]["columns"] == []
    here.run("diff", "--data", "new.json.gz", "new.csv", "--key", "id", code=2)


def test_only_the_same_bytes_are_the_same_where_values_are_not_compared(tmp_path: Path) -> None:
    for name, last in (("old", "a"), ("copy", "a"), ("new", "b")):
        rows = "".join(f"text {i} of {i * 7919 % 1000} {last}\n" for i in range(200))
        (tmp_path / f"{name}.csv").write_text(f"body\n{rows}")
    here = Project(tmp_path)
    assert "Data: unchanged (1)" in here.run("diff", "--data", "old.csv", "copy.csv").stdout
    told = here.run("diff", "--data", "old.csv", "new.csv").stdout
    assert "of 1 column: 1 was not compared" in told
    assert "other values, of which only the lengths and the frequent values" in told
    assert "unchanged" not in told
    assert "the same" not in told


def test_the_same_values_in_other_bytes_are_told_from_other_values(tmp_path: Path) -> None:
    texts = [f"text {i:03} of {i * 7919 % 1000:03}" for i in range(300)]
    old = {
        "id": pa.array([2**60 + 256 * i for i in range(300)]),
        "money": pa.array([Decimal(10**30 + i) for i in range(300)], pa.decimal128(38, 0)),
        "limit": pa.array([math.inf, -math.inf, 1.0] * 100),
        "at": pa.array([10**18 + i * 10**9 for i in range(300)], pa.timestamp("ns")),
        "body": texts,
        "vector": [[float(i), 1.0] for i in range(300)],
    }
    new = {
        "id": pa.array([2**60 + 256 * i + 1 for i in range(300)]),
        "money": pa.array([Decimal(10**30 + i + 1) for i in range(300)], pa.decimal128(38, 0)),
        "limit": pa.array([-math.inf, -math.inf, 1.0] * 100),
        "at": pa.array([10**18 + i * 10**9 + 1 for i in range(300)], pa.timestamp("ns")),
        "body": [text[::-1] for text in texts],
        "vector": [[float(i), 1.0] for i in range(300)][::-1],
    }
    for name, columns in (("old", old), ("new", new), ("mixed", dict(old))):
        table = pa.table(columns)
        table = table.take(list(range(299, -1, -1))) if name == "mixed" else table
        pq.write_table(table, tmp_path / f"{name}.parquet")
    here = Project(tmp_path)
    told = here.run("diff", "--data", "old.parquet", "mixed.parquet").stdout
    # The norm of a list is of no value itself.
    assert "of 9 columns: 8 hold the same values, 1 is alike in every count" in told
    told = here.run("diff", "--data", "old.parquet", "new.parquet").stdout
    assert (
        "of 9 columns: 4 differ, 3 hold the same values, 1 is alike in every count, 1 was not "
        "compared"
    ) in told
    assert told.count("other values though every count is alike") == 4
    assert "body (other values, of which only the lengths and the frequent values" in told
    (change,) = here.run("diff", "--data", "old.parquet", "new.parquet", "--json").json["diff"][
        "changes"
    ]
    assert {one["name"] for one in change["columns"]} == {"id", "money", "limit", "at"}
    assert all([fact["fact"] for fact in one["facts"]] == ["values"] for one in change["columns"])


def test_two_models_without_a_repository(tmp_path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    for name, values in (("old", (3.0, 4.0)), ("new", (3.0, 9.0))):
        content = len(header).to_bytes(8, "little") + header + struct.pack("<2f", *values)
        (tmp_path / f"{name}.safetensors").write_bytes(content)
    here = Project(tmp_path)
    found = here.run("diff", "--files", "old.safetensors", "new.safetensors", "--json").json["diff"]
    assert found["weights"][0]["distance"] == pytest.approx(1.0)
    assert "safetensors" in here.run("diff", "--files", "old.safetensors", "new.safetensors").stdout


def test_data_is_read_as_the_settings_say(tmp_path: Path) -> None:
    rows = [f"{at},5;{'?' if at % 50 == 1 else at}" for at in range(200)]
    files = {**FILES, "data/train.csv": "\n".join(["a;b", *rows, "1;2;3"]) + "\n"}
    project = new_project(tmp_path / "place", files=files)
    project.run("train")
    project.edit("assent.yaml", "train: data/train.csv", TRAIN_DATA.format("skip_ragged: true"))
    said = project.run("evaluate").stderr
    assert "data train: 1 line was left out: data/train.csv, line 202 has 3 cells" in said
    assert "column 'a' is text: 200 of its 200 values are numbers with a decimal comma" in said
    assert "column 'b' is text: 196 of its 200 values are numbers" in said
    more = 'skip_ragged: true, decimal: ",", missing: ["?"]'
    project.edit("assent.yaml", "skip_ragged: true", more)
    said = project.run("evaluate").stderr
    assert "is text" not in said
    assert "1 line was left out" in said


def test_data_without_a_header(tmp_path: Path) -> None:
    rows = [f"{at},{at}.5" for at in range(200)]
    files = {**FILES, "data/train.csv": "\n".join(rows) + "\n"}
    project = new_project(tmp_path / "place", files=files)
    project.run("train")
    project.run("evaluate")
    assert (
        "its first line has no names of columns, but values"
        in project.run("review", code=10).stdout
    )
    project.edit("assent.yaml", "train: data/train.csv", TRAIN_DATA.format("header: [id, x]"))
    project.run("evaluate")
    assert "names of columns" not in project.run("review", code=11).stdout


TRAIN_DATA = "train: {{path: data/train.csv, {}}}"
