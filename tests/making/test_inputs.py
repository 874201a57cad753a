"""What a model is made from: with outputs, pointers and products told apart from inputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assent.config.settings import DataSettings, ModelSettings
from assent.core.digest import Digest, digest_of
from assent.errors import UsageError
from assent.making.dvc import Dvc
from assent.making.inputs import InputNames, Inputs, read_inputs
from assent.making.outputs import known_outputs, outputs_of
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


def test_a_word_that_a_glob_of_outputs_covers_is_an_output(root: Path) -> None:
    write(root, {"out/m.json": "{}", "out/draw.py": "", "conf.json": "{}"})
    command = "python train.py --metrics out/m.json --config conf.json && python out/draw.py"
    metrics = ("out/**",)
    found = names(root, train=command, metrics=metrics)
    assert found == ["conf.json", "data/raw.csv", "evaluate.py", "out/draw.py", "train.py"]
    given = settings(train=command, metrics=metrics)
    outputs = outputs_of(given)
    assert not InputNames(given, outputs).cover("out/m.json")
    assert InputNames(given, outputs).cover("out/draw.py")
    named = settings(train=command, metrics=metrics, inputs=("out/m.json",))
    assert "out/m.json" in read(root, named).files
    assert InputNames(named, outputs_of(named)).cover("out/m.json")


# --- what a command only mentions -----------------------------------------------------------------


def environment(root: Path, name: str, python: Path, mark: str = "pyvenv.cfg") -> None:
    write(root, {f"{name}/{mark}": "", f"{name}/bin/activate": f"VIRTUAL_ENV={root}/{name}"})
    (root / name / "bin/python").symlink_to(python)


@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta/history"])
@pytest.mark.parametrize(
    "command",
    [
        "tools/env/bin/python train.py",
        "./tools/env/bin/python train.py",
        ". tools/env/bin/activate && python train.py",
        "PATH=$PWD/tools/env/bin:$PATH python train.py",
        "tools/env/bin/py* train.py",
    ],
)
def test_an_environment_is_no_input(
    root: Path, tmp_path_factory: pytest.TempPathFactory, command: str, mark: str
) -> None:
    python = tmp_path_factory.mktemp("outside") / "python"
    python.write_text("")
    environment(root, "tools/env", python, mark)
    write(root, {"tools/x.txt": ""})
    given = settings(train=command, inputs=("data/**", "tools/**", "**/*.yaml"))
    assert list(read(root, given).files) == [
        "data/raw.csv",
        "evaluate.py",
        "params.yaml",
        "tools/x.txt",
        "train.py",
    ]


def test_a_file_of_an_environment_that_is_named_is_an_input(root: Path) -> None:
    environment(root, "env", root / "train.py")
    assert "env/bin/activate" in names(root, inputs=("env/bin/activate",))


def test_a_mentioned_link_that_leads_out_is_known_by_where_it_leads(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    write(outside, {"python": "one", "parts/a.csv": "1"})
    (root / "run").symlink_to("bin/run")
    (root / "bin").mkdir()
    (root / "bin/run").symlink_to(outside / "python")
    (root / "parts").mkdir()
    (root / "parts/a.csv").symlink_to(outside / "parts/a.csv")
    write(root, {"parts/b.csv": "2"})
    given = settings(train="./run train.py parts/*.csv")
    first = read(root, given)
    assert {"run", "parts/a.csv", "parts/b.csv", "train.py"} <= first.of_training
    (outside / "python").write_text("another")
    assert read(root, given) == first
    (root / "bin/run").unlink()
    (root / "bin/run").symlink_to(outside / "parts/a.csv")
    assert read(root, given).train != first.train
    with pytest.raises(UsageError, match="outside"):
        read(root, settings(inputs=("run",)))


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


# --- what commands write --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "written"),
    [
        ("python train.py --log-file=logs/x.log", "logs/x.log"),
        ("python train.py > out.txt", "out.txt"),
        ("papermill train.ipynb out.ipynb", "out.ipynb"),
        ("jupyter nbconvert --execute train.ipynb", "train.html"),
        ("python train.py && dvc add model", "model.dvc"),
        ("python train.py && dvc add model", ".gitignore"),
        ("python train.py && dvc add models/", "models.dvc"),
    ],
)
def test_what_a_command_says_that_it_writes_is_no_input(
    root: Path, command: str, written: str
) -> None:
    pointer = "outs:\n- md5: '1'\n  path: {}\n"
    files = {
        "train.ipynb": "{}",
        "logs/x.log": "",
        "out.txt": "",
        "out.ipynb": "{}",
        ".gitignore": "",
    }
    write(root, {**files, "train.html": "", "models/m": ""})
    write(root, {f"{one}.dvc": pointer.format(one) for one in ("model", "models")})
    given = settings(train=command, inputs=("**",))
    before = read(root, given)
    assert written in before.left_out
    write(root, {written: pointer.format(written.removesuffix(".dvc")) + "# again\n"})
    assert read(root, given).train == before.train
    assert not InputNames(given, known_outputs(given, Dvc())).cover(written)


def test_what_is_declared_is_an_input_although_a_command_says_that_it_writes_it(root: Path) -> None:
    command = "python get.py --output data/raw.csv && python train.py"
    for given in (
        {"inputs": ("data/raw.csv",)},
        {"inputs": ("*.py",), "data": {"t": "data/*.csv"}},
    ):
        assert "data/raw.csv" in names(root, train=command, **given)


def test_a_pointer_to_nothing_but_outputs_is_none_either(root: Path) -> None:
    write(root, {"model.dvc": "outs:\n- md5: '1'\n  path: model\n", "b/x": ""})
    write(root, {"b.dvc": "outs:\n- md5: '1'\n  path: b\n- md5: '1'\n  path: model\n"})
    found = read(root, settings(inputs=("**",)))
    assert "model.dvc" in found.left_out
    assert "b.dvc" in found.files
    # Somebody who names it means it.
    assert "model.dvc" in names(root, inputs=("model.dvc", "data/**"))


def notebook(source: str | list[str], **more: Any) -> str:
    cell = {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], **more}
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]})


def test_a_notebook_that_is_executed_in_place_is_known_by_its_cells(root: Path) -> None:
    given = settings(train="jupyter nbconvert --execute --inplace train.ipynb")
    write(root, {"train.ipynb": notebook("fit()")})
    before = read(root, given)
    ran: dict[str, Any] = {
        "outputs": [{"text": "0.9"}],
        "execution_count": 1,
        "id": "a",
        "source": ["fit", "()"],
    }
    write(root, {"train.ipynb": notebook(**ran, metadata={"execution": {"at": 1}})})
    assert read(root, given).files == before.files
    write(root, {"train.ipynb": notebook("fit(1)")})
    assert read(root, given).train != before.train
    # Of one that is only read, all of it is.
    given = settings(train="jupyter nbconvert --execute train.ipynb --to html")
    before = read(root, given)
    write(root, {"train.ipynb": notebook("fit(1)", execution_count=2)})
    assert read(root, given).train != before.train


@pytest.mark.parametrize("text", ["", "{", "[]", '{"nbformat": 4}', '{"nbformat": 3, "cells": []}'])
def test_what_is_no_notebook_is_known_by_its_bytes(root: Path, text: str) -> None:
    write(root, {"train.ipynb": text})
    found = read(root, settings(train="papermill train.ipynb train.ipynb"))
    assert found.files["train.ipynb"] == digest_of(text.encode())


def test_variables_and_globs_name_inputs(root: Path) -> None:
    write(root, {"src/fit.py": "", "conf/a.yaml": "", "conf/b.yaml": "", "conf/c.txt": ""})
    given = settings(train="python $DIR/fit.py conf/*.yaml", evaluate=None)
    expected = ["conf/a.yaml", "conf/b.yaml", "data/raw.csv", "src/fit.py"]
    for value in ("src", f"{root}/src"):
        assert list(read(root, given, environ={"DIR": value}).files) == expected
    # Unknown: anything that it may be.
    assert list(read(root, given).files) == expected
    for name in ("src/fit.py", "conf/a.yaml"):
        assert InputNames(given, outputs_of(given)).cover(name)
    assert not InputNames(given, outputs_of(given)).cover("conf/c.txt")


def test_paths_from_the_root_of_the_machine(root: Path) -> None:
    assert "train.py" in names(root, train=f"python {root}/train.py", inputs=("data/**",))


# --- several models -------------------------------------------------------------------------------


def test_outputs_of_another_model_are_no_inputs(root: Path) -> None:
    other = settings(
        model="other/",
        metrics=("results/other.json",),
        inputs=("data/**",),
        train="python other.py",
    )
    write(root, {"other.py": ""})
    for inputs in (("**",), ("results/*.json", "data/**", "*.py")):
        given = settings(inputs=inputs, metrics=("results/mine.json",))
        write(root, {"results/fixed.json": ""})
        before = read(root, given, others=[other])
        write(root, {"other/weights": "w", "results/other.json": "{}", "results/mine.json": "{}"})
        after = read(root, given, others=[other])
        assert after.train == before.train
        assert "results/other.json" in after.left_out
        # It may be read all the same: then what it is made from counts.
        for name in ("other.py", "data/raw.csv"):
            write(root, {name: f"changed {inputs}"})
            changed = read(root, given, others=[other])
            assert changed.train != after.train
            after = changed
            known = known_outputs(given, Dvc(), [other])
            assert InputNames(given, known, [other]).cover(name)
        command = msgspec.structs.replace(other, train="python other.py --fast")
        assert read(root, given, others=[command]).train != after.train
        known = known_outputs(given, Dvc(), [other])
        assert not InputNames(given, known, [other]).cover("results/other.json")


@pytest.mark.parametrize("pattern", ["other/**", "other", "other/weights", "other/*.bin"])
def test_who_names_outputs_of_another_model_means_them(root: Path, pattern: str) -> None:
    other = settings(model="other/", metrics=("o.json",))
    write(root, {"other/weights": "w", "other/a.bin": ""})
    given = settings(inputs=(pattern,))
    before = read(root, given, others=[other])
    write(root, {"other/weights": "v", "other/a.bin": "v"})
    assert read(root, given, others=[other]).train != before.train
    known = known_outputs(given, Dvc(), [other])
    assert InputNames(given, known, [other]).cover("other/a.bin") is (pattern != "other/weights")


def test_two_models_that_do_not_touch_each_other(root: Path) -> None:
    other = settings(model="other/", metrics=("o.json",), inputs=("x/**",))
    given = settings(inputs=("data/**",))
    assert read(root, given, others=[other]) == read(root, given)


def test_two_models_whose_patterns_cover_each_other(root: Path) -> None:
    one = settings(inputs=("**",), model="a/", metrics=("a.json",))
    two = settings(inputs=("**",), model="b/", metrics=("b.json",))
    write(root, {"a/w": "1", "b/w": "1", "a.json": "{}", "b.json": "{}"})
    before = [read(root, one, others=[two]).train, read(root, two, others=[one]).train]
    write(root, {"a/w": "2", "b/w": "2", "a.json": "[]", "b.json": "[]"})
    assert [read(root, one, others=[two]).train, read(root, two, others=[one]).train] == before


def test_a_glob_of_outputs_does_not_cover_what_another_model_declares() -> None:
    other = settings(model="other/", metrics=("results/other.json",))
    found = known_outputs(settings(metrics=("results/*.json",)), Dvc(), [other])
    assert found.cover("results/mine.json")
    assert not found.cover("results/other.json")
    assert known_outputs(other, Dvc(), [settings(metrics=("results/*.json",))]).cover(
        "results/other.json"
    )


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
    assert InputNames(given, outputs_of(given)).cover(name) is is_one
