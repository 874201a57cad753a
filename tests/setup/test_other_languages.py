"""Languages that are not parsed: what plain calls name, and that it is said to be not all."""

from __future__ import annotations

from pathlib import Path

from assent.setup.config_text import config_text
from assent.setup.detection import look
from assent.verbs.init import unseen
from tests.setup.looked import only_model

R = """\
source("R/prepare.R")
d <- read.csv("data/train.csv")
e <- read.csv('data/none.csv')
x <- read.csv(paste0(root, "x.csv"))
m <- lm(y ~ x, d)
saveRDS(m, file = "models/model.rds")
write.csv(p, "out/predictions.csv")
jsonlite::write_json(list(rmse = 1), "metrics.json")
"""
JULIA = """\
include("src/net.jl")
using CSV
d = CSV.read("data/train.csv", DataFrame)
BSON.@save "models/model.bson" model
"""


def test_what_r_names_is_taken_and_the_rest_is_asked_for(tmp_path: Path) -> None:
    files = {
        "train.R": R,
        "R/prepare.R": "p <- readRDS('data/p.rds')\n",
        "data/train.csv": "x\n1\n",
        "data/p.rds": "x",
        "renv.lock": "{}",
    }
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "Rscript train.R"
    assert (found.model and found.model.value) == "models/model.rds"
    assert [one.value for one in found.metrics] == ["metrics.json"]
    inputs = {"train.R", "R/prepare.R", "data/train.csv", "data/p.rds", "renv.lock"}
    assert {one.value for one in found.inputs} == inputs
    assert [one.value for one in found.left_out] == ["data/none.csv"]
    assert "inputs" in unseen(found)
    text = config_text(look(tmp_path, "churn").projects[0])
    assert "# R is not read: list under `inputs` every file that train.R reads" in text
    assert "import json" not in text


def test_the_evaluation_in_r_is_what_reads_the_model(tmp_path: Path) -> None:
    files = {
        "train.R": "saveRDS(m, 'models/model.rds')\n",
        "evaluate.R": "m <- readRDS('models/model.rds')\nwrite_json(x, 'metrics.json')\n",
        "predict.R": "m <- readRDS('models/model.rds')\nwrite.csv(x, 'out.csv')\n",
    }
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "Rscript train.R"
    assert (found.evaluate and found.evaluate.value) == "Rscript evaluate.R"


def test_julia_too_and_nothing_of_python_is_said(tmp_path: Path) -> None:
    files = {
        "train.jl": JULIA,
        "src/net.jl": "",
        "data/train.csv": "x\n1\n",
        "Project.toml": "",
        "Manifest.toml": "",
        "Makefile": "train:\n\tmkdir -p models\n\tjulia --project train.jl\n",
    }
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "make train"
    assert (found.model and found.model.value) == "models/model.bson"
    inputs = {"train.jl", "src/net.jl", "data/train.csv", "Project.toml", "Manifest.toml"}
    assert {one.value for one in found.inputs} == inputs | {"Makefile"}
    assert "Julia is not read" in " ".join(found.advice)
    assert "import " not in " ".join(found.advice)


def test_a_script_without_a_word_of_files_is_no_error(tmp_path: Path) -> None:
    found = only_model(tmp_path, {"train.R": "source('../x.R')\nsource('train.R')\nload('/a')\n"})
    assert (found.train and found.train.value) == "Rscript train.R"
    assert [one.value for one in found.inputs] == ["train.R"]
    assert found.model is None
    assert "import " not in " ".join(found.advice)


def test_a_target_is_called_after_what_it_makes(tmp_path: Path) -> None:
    files = {
        "Makefile": "DATA = d.csv\nout/model.rds: $(DATA) clean.csv\n\tRscript fit.R $(DATA) $@\n"
        "clean.csv: d.csv\n\tRscript clean.R d.csv $@\nall: out/model.rds\n",
        "fit.R": "saveRDS(m, args[2])\n",
        "clean.R": "",
        "d.csv": "x\n1\n",
    }
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "make out/model.rds"
    assert (found.model and found.model.value) == "out/model.rds"
    inputs = {"fit.R", "clean.R", "Makefile", "d.csv"}
    assert {one.value for one in found.inputs} == inputs
