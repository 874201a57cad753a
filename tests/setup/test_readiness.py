"""What would fail after hours is known before: TODOs and scripts that are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.config.settings import ModelSettings
from assent.setup.readiness import missing_scripts, unfinished
from tests.setup.looked import written

FILES = {"train.py": "", "src/fit.py": "", "pkg/__init__.py": "", "pkg/cli/__main__.py": ""}


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("python train.py", ()),
        ("python tain.py", ("tain.py",)),
        ("python train.py && python evaluate.py --x", ("evaluate.py",)),
        ("cd src && python fit.py", ()),
        ("cd src && python train.py", ("src/train.py",)),
        ("sh scripts/run.sh", ("scripts/run.sh",)),
        ("uv run --extra gpu train.py", ()),
        ("torchrun --nproc_per_node 2 missing.py", ("missing.py",)),
        ("python -m pkg.cli", ()),
        ("python -m pkg.other", ("pkg/other.py",)),
        ("python -m installed.thing", ()),
        ("python -m pytest", ()),
        ("make train", ("Makefile",)),
        ("make -C sub train", ()),
        ("python $SCRIPT", ()),
        ("python ${X}/train.py", ()),
        ("python /opt/train.py", ()),
        ("curl -o got.py https://example.com && python got.py", ()),
        ("cat a b > made.py; python made.py", ()),
        ("test -f x.py && python x.py", ()),
        ("python x.py || python y.py", ("x.py",)),
        ("jupyter nbconvert --execute a.ipynb", ("a.ipynb",)),
        ("dvc pull && python pulled.py", ()),
        ("Rscript fit.R", ("fit.R",)),
        ("java -jar x.jar", ()),
        ("echo python x.py", ()),
        ("just train", ("justfile",)),
        ("conda run -n x python tain.py", ("tain.py",)),
        ("uv run --extra gpu python tain.py", ("tain.py",)),
        ("CUDA_VISIBLE_DEVICES=0 nohup python -u tain.py > log 2>&1", ("tain.py",)),
        ("python -m pip install -r r.txt && python tain.py", ("tain.py",)),
        ("cd src && python tain.py 2>&1 | tee log", ("src/tain.py",)),
        ("sh tain.sh", ("tain.sh",)),
        ("./tain.sh", ("tain.sh",)),
        ("accelerate launch --config_file a.yaml tain.py", ("tain.py",)),
        ("papermill in.ipynb out.ipynb", ("in.ipynb",)),
    ],
)
def test_scripts_that_are_missing(tmp_path: Path, command: str, missing: tuple[str, ...]) -> None:
    assert missing_scripts(written(tmp_path, FILES), command) == missing


@pytest.mark.parametrize(
    "command",
    [
        # Where it runs is said in a way that is not followed.
        "uv run --directory=sub python fit.py",
        "uv run --directory sub fit.py",
        "uv --directory=sub run fit.py",
        "srun --chdir=sub python fit.py",
        "srun -D sub --gres=gpu:1 python fit.py",
        "mpirun -wdir sub python fit.py",
        "env -C sub python fit.py",
        "env --chdir=sub python fit.py",
        "poetry -C sub run python fit.py",
        "poetry run --directory=sub python fit.py",
        "pdm run -p sub python fit.py",
        "pixi run python fit.py",
        "pixi run --manifest-path=sub/pixi.toml python fit.py",
        "hatch run python fit.py",
        "rye run python fit.py",
        "conda run -n x --cwd=sub python fit.py",
        "sudo --chdir=sub python fit.py",
        "docker run -w /sub image python fit.py",
        "make -C sub train",
        "make --directory=sub train",
        "make -f sub/Makefile train",
        "make MAKEFLAGS=-Csub train",
        "just --justfile sub/justfile train",
        "(cd sub && make) && python sub/../fit.py && python gone.py",
        "(cd sub; ls); python fit.py",
        "prepare() { cd sub; }; prepare; python fit.py",
        "cd sub | true; python fit.py",
        "cd -P sub && python fit.py",
        "cd $SUB && python fit.py",
        "pushd sub && popd && python sub.py",
        # Where a module is looked for is not known.
        "PYTHONPATH=x python -m space.fit",
        "python -m space.fit",
        "PYTHONPATH=x python -m pkg.fit",
        "export PYTHONPATH=x && python -m pkg.fit",
        "python -P -m pkg.fit",
        "python -m pkg.$STEP",
        "python -m wide.fit",
        "python -m pkg.built",
        # What is read, and what is written.
        "jupyter nbconvert --execute --to notebook --output out.ipynb in/nb.ipynb",
        "jupyter nbconvert --execute --output=out.ipynb in.ipynb",
        "jupyter nbconvert --execute notebooks/*.ipynb",
        "jupyter nbconvert --execute notebooks/0[12].ipynb",
        "papermill -f conf.yaml in.ipynb out.ipynb",
        "papermill s3://bucket/in.ipynb out.ipynb",
        "uv run https://example.com/fit.py",
        "bash true",
        # An earlier command may have brought it.
        "sh fetch.sh && python fetched.py",
        "git clone x && python x/fit.py",
        "python generate.py && python generated.py",
        "python -m pkg.cli && python made.py",
        "command -v x && python made.py",
        "which x || python made.py",
    ],
)
def test_where_nobody_can_tell_nothing_is_refused(tmp_path: Path, command: str) -> None:
    files = {
        "generate.py": "open('generated.py', 'w')",
        "fetch.sh": "curl -O https://example.com/fetched.py",
        "sub/fit.py": "",
        "space/__main__.py": "",
        "wide/__init__.py": "__path__ = __import__('pkgutil').extend_path(__path__, __name__)",
        "pkg/built.cpython-313-x86_64-linux-gnu.so": "",
    }
    assert missing_scripts(written(tmp_path, {**FILES, **files}), command) == ()


def test_a_script_that_says_nothing_of_another_does_not_write_it(tmp_path: Path) -> None:
    root = written(tmp_path, {**FILES, "generate.py": "print(1)"})
    assert missing_scripts(root, "python generate.py && python generated.py") == ("generated.py",)


def test_just_looks_for_its_recipes_above(tmp_path: Path) -> None:
    root = written(tmp_path, {"JustFile": "train:\n", "sub/train.py": ""})
    assert missing_scripts(root / "sub", "just train") == ()


def test_a_makefile_is_enough_for_make(tmp_path: Path) -> None:
    assert missing_scripts(written(tmp_path, {"GNUmakefile": ""}), "make train") == ()


def test_what_init_left_open_is_named() -> None:
    settings = ModelSettings(train="TODO", model="TODO", inputs=("TODO",), metrics=("m.json",))
    assert unfinished(settings) == ("train", "model", "inputs")
    assert unfinished(ModelSettings(train="python TODOS.py", model="m", inputs=("a",))) == ()
