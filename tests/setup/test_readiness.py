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
    ],
)
def test_scripts_that_are_missing(tmp_path: Path, command: str, missing: tuple[str, ...]) -> None:
    assert missing_scripts(written(tmp_path, FILES), command) == missing


def test_a_makefile_is_enough_for_make(tmp_path: Path) -> None:
    assert missing_scripts(written(tmp_path, {"GNUmakefile": ""}), "make train") == ()


def test_what_init_left_open_is_named() -> None:
    settings = ModelSettings(train="TODO", model="TODO", inputs=("TODO",), metrics=("m.json",))
    assert unfinished(settings) == ("train", "model", "inputs")
    assert unfinished(ModelSettings(train="python TODOS.py", model="m", inputs=("a",))) == ()
