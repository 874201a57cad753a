"""What a model is made from: with outputs, pointers and products told apart from inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from assent.config.settings import DataSettings, ModelSettings
from assent.core.digest import Digest, digest_of
from assent.errors import UsageError
from assent.making.inputs import Inputs, covers_input, read_inputs
from assent.making.outputs import outputs_of
from assent.measure.hashes import Hashes

FILES = {
    "train.py": "",
    "evaluate.py": "",
    "params.yaml": "a: 1\n",
    "data/raw.csv": "x\n",
    "model/weights": "w",
    "metrics.json": "{}",
}


def settings(**given: Any) -> ModelSettings:
    usual = {
        "model": "model/",
        "train": "python train.py",
        "evaluate": "python evaluate.py",
        "inputs": ("data/**",),
        "metrics": ("metrics.json",),
    }
    return ModelSettings(**{**usual, **given})


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, FILES)
    return tmp_path


def read(root: Path, given: ModelSettings, **more: Any) -> Inputs:
    return read_inputs(root, root, given, Hashes(root), **more)


def names(root: Path, **given: Any) -> list[str]:
    return list(read(root, settings(**given)).files)


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_a_glob_leaves_out_what_the_commands_write(root: Path) -> None:
    write(root, {"data/model.bin": "m", "data/m.json": "{}", "data/plots/a.png": ""})
    given = settings(model="data/model.bin", metrics=("data/m.json",), plots=("data/plots/*",))
    found = read(root, given)
    assert list(found.files) == ["data/raw.csv", "evaluate.py", "train.py"]
    assert sorted(found.left_out) == ["data/m.json", "data/model.bin", "data/plots/a.png"]


@pytest.mark.parametrize("named", ["metrics.json", "./metrics.json", "model/weights"])
def test_an_input_that_is_named_and_an_output_is_an_error(root: Path, named: str) -> None:
    with pytest.raises(UsageError) as refused:
        names(root, inputs=("train.py", named))
    assert named.removeprefix("./") in str(refused.value)


def test_a_named_input_is_right_against_a_glob_of_outputs(root: Path) -> None:
    write(root, {"config.json": "{}"})
    assert "config.json" in names(root, inputs=("config.json",), metrics=("*.json",))


def test_a_pattern_of_nothing_but_outputs_is_an_error(root: Path) -> None:
    with pytest.raises(UsageError, match="nothing but outputs"):
        names(root, inputs=("*.json",))
    with pytest.raises(UsageError, match="nothing matches"):
        names(root, inputs=("*.parquet",))


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("python train.py --data data/raw.csv", ["data/raw.csv", "train.py"]),
        ("python train.py --out model/weights --metrics metrics.json", ["train.py"]),
        ("python train.py > train.log 2>&1", ["train.py"]),
        ("python train.py 2> train.log", ["train.py"]),
        ("python train.py | tee -a train.log", ["train.py"]),
        ("python train.py < data/raw.csv", ["data/raw.csv", "train.py"]),
        ("python train.py>train.log", ["train.py"]),
        ("(cd . && python train.py)", ["train.py"]),
        ("python 'train.py", ["train.py"]),
    ],
)
def test_what_a_command_names_is_an_input_unless_it_writes_it(
    root: Path, command: str, found: list[str]
) -> None:
    write(root, {"train.log": "of an earlier run"})
    assert names(root, train=command, evaluate=None, inputs=("params.yaml",)) == sorted(
        [*found, "params.yaml"]
    )


def test_what_no_command_makes_is_an_input(root: Path) -> None:
    none = {"train": None, "evaluate": None, "inputs": ()}
    assert names(root, **none) == ["metrics.json", "model/weights"]
    before = read(root, settings(**none)).evaluate
    write(root, {"metrics.json": '{"a": 1}'})
    assert read(root, settings(**none)).evaluate != before
    # With an evaluation the metrics are made, and the model is what it starts from.
    assert names(root, train=None, inputs=()) == ["evaluate.py", "model/weights"]


def test_whether_a_model_that_no_command_makes_may_be_run_counts(root: Path) -> None:
    none = settings(train=None, evaluate=None, inputs=())
    before = read(root, none)
    (root / "model/weights").chmod(0o755)
    after = read(root, none)
    assert (after.files, after.evaluate == before.evaluate) == (before.files, False)
    made = read(root, settings())
    (root / "train.py").chmod(0o755)
    assert read(root, settings()).evaluate == made.evaluate


@pytest.mark.parametrize(
    "more",
    [{"python": ".venv/bin/python"}, {"params": ("params.yaml",), "inputs": ("data/**",)}],
)
def test_how_something_is_measured_is_a_part_of_it(root: Path, more: Any) -> None:
    """Also where the files stay the same: what was an input is now shown as parameters."""
    before = read(root, settings(inputs=("data/**", "params.yaml")))
    after = read(root, settings(**{"inputs": ("data/**", "params.yaml"), **more}))
    assert after.files == before.files
    assert after.evaluate != before.evaluate
    assert (after.train != before.train) == ("python" in more)


def test_an_earlier_state_of_data_is_what_the_evaluation_starts_from(root: Path) -> None:
    write(root, {"data/old.csv": "x\n1\n"})
    compared = DataSettings(path="data/raw.csv", previous="data/old.csv", key="x")
    given = settings(inputs=("train.py",), data={"train": compared})
    before = read(root, given)
    assert "data/old.csv" in before.files
    write(root, {"data/old.csv": "x\n2\n"})
    after = read(root, given)
    assert (after.train == before.train, after.evaluate == before.evaluate) == (True, False)


@pytest.mark.parametrize("model", [".", "./", "data/..", ".git/", ".git/objects", ".assent/x"])
def test_the_repository_is_no_model(root: Path, model: str) -> None:
    (root / ".git").mkdir()
    with pytest.raises(UsageError, match="looking for the model"):
        names(root, model=model)


@pytest.mark.parametrize("declared", [{"inputs": ("data/raw.csv",)}, {"data": {"t": "data/*.csv"}}])
def test_a_folder_that_holds_an_input_is_no_model(root: Path, declared: Any) -> None:
    with pytest.raises(UsageError, match=r"data/.*is in it"):
        names(root, **{"inputs": ("train.py",), **declared, "model": "data/"})


def test_a_link_to_the_repository_is_no_model(root: Path) -> None:
    (root / "here").symlink_to(".")
    with pytest.raises(UsageError, match="the repository itself"):
        names(root, model="here")


def test_the_top_of_the_repository_is_no_model_of_a_project_below(root: Path) -> None:
    (root / "sub").mkdir()
    write(root / "sub", FILES)
    (root / "sub/up").symlink_to("..")
    with pytest.raises(UsageError, match="the repository itself"):
        read_inputs(root / "sub", root, settings(model="up"), Hashes(root / "sub"))


def test_what_a_pointer_stands_for_is_known_by_the_pointer(root: Path) -> None:
    pointer = f"outs:\n- md5: {md5('x' + chr(10))}\n  path: raw.csv\n"
    write(root, {"data/raw.csv.dvc": pointer})
    here = read(root, settings())
    assert list(here.files) == ["data/raw.csv.dvc", "evaluate.py", "train.py"]
    (root / "data/raw.csv").unlink()
    away = read(root, settings(inputs=("data/raw.csv",)))
    assert list(away.files) == list(here.files)
    assert away.train == here.train


def test_data_that_is_not_as_its_pointer_says_counts_as_it_lies_there(root: Path) -> None:
    write(root, {"data/raw.csv.dvc": f"outs:\n- md5: {md5('other')}\n  path: raw.csv\n"})
    found = read(root, settings(inputs=("data/raw.csv",)))
    assert found.estranged == ("data/raw.csv",)
    assert found.files["data/raw.csv"] == digest_of(b"x\n")


def test_a_folder_and_its_pointer(root: Path) -> None:
    listed = f'[{{"md5": "{md5("a")}", "relpath": "a.csv"}}, {{"md5": "{md5("b")}", "relpath": '
    listed += '"b/c.csv"}]'
    write(root, {"raw/a.csv": "a", "raw/b/c.csv": "b"})
    write(root, {"raw.dvc": f"outs:\n- md5: {md5(listed)}.dir\n  path: raw\n"})
    given = settings(inputs=("raw/**",))
    assert list(read(root, given).files) == ["evaluate.py", "raw.dvc", "train.py"]
    write(root, {"raw/d.csv": "more"})
    assert "raw/d.csv" in read(root, given).files


def test_outputs_of_stages_are_no_inputs(root: Path) -> None:
    write(
        root,
        {
            "dvc.yaml": "stages:\n  prepare:\n    cmd: python train.py\n    deps: [data/raw.csv]\n"
            "    outs: [data/prepared]\n",
            "dvc.lock": "schema: '2.0'\n",
            "data/prepared/a.csv": "made",
        },
    )
    found = read(root, settings(train="dvc repro", inputs=("data/**", "dvc.*")))
    assert list(found.files) == ["data/raw.csv", "dvc.yaml", "evaluate.py"]
    assert sorted(found.left_out) == ["data/prepared/a.csv", "dvc.lock"]


def test_a_product_is_no_input_as_long_as_it_is_what_the_run_wrote(root: Path) -> None:
    before = read(root, settings())
    write(root, {"data/features.csv": "f"})
    products = {"data/features.csv": digest_of(b"f")}
    assert read(root, settings(), products=products).train == before.train
    write(root, {"data/features.csv": "edited by a person"})
    assert "data/features.csv" in read(root, settings(), products=products).files
    # What is named one by one is an input, whoever wrote it.
    named = settings(inputs=("data/raw.csv",))
    assert "data/raw.csv" in read(root, named, products={"data/raw.csv": digest_of(b"x\n")}).files


def test_what_another_job_has_read_need_not_be_here(root: Path) -> None:
    for inputs in (("data/**",), ("data/raw.csv",)):
        given = settings(inputs=inputs, data={"test": "data/raw.csv"})
        write(root, FILES)
        there = read(root, given)
        (root / "data/raw.csv").unlink()
        handed_on: dict[str, Digest] = {"data/raw.csv": there.files["data/raw.csv"]}
        here = read(root, given, handed_on=handed_on)
        assert here == there


def test_an_input_that_another_job_has_found_estranged(root: Path) -> None:
    write(root, {"data/raw.csv.dvc": f"outs:\n- md5: {md5('other')}\n  path: raw.csv\n"})
    given = settings(inputs=("data/raw.csv",))
    there = read(root, given)
    (root / "data/raw.csv").unlink()
    here = read(root, given, handed_on={"data/raw.csv": there.files["data/raw.csv"]})
    assert here.train == there.train


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("data/raw.csv", True),
        ("train.py", True),
        ("metrics.json", False),
        ("model/weights", False),
        ("README.md", False),
        ("assent.lock", False),
    ],
)
def test_by_its_name_alone(name: str, is_one: bool) -> None:
    given = settings()
    assert covers_input(given, outputs_of(given), name) is is_one
