"""Where outputs may lie: nothing of the repository is ever set aside or replaced because
`assent.yaml` calls it an output, and what can never be one is refused before anything is run.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.project import FILES, Project, new_project


def refused(mine: Project, verb: str = "train") -> str:
    """What `verb` says, having changed nothing and run nothing."""
    before = everything(mine.folder)
    said = mine.run(verb, code=2).stderr
    assert everything(mine.folder) == before
    assert mine.runs() == []
    assert mine.git("status", "--porcelain") == ""
    return said


def everything(folder: Path) -> dict[str, bytes | str | None]:
    """All files and links below a folder, but what Assent leaves, with what they hold."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] == ".assent" or path.name == "index":  # which `git status` may write
            continue
        if path.is_symlink():
            found[name] = str(path.readlink())
        else:
            found[name] = path.read_bytes() if path.is_file() else None
    return found


def declared(fresh: Project, key: str, value: str, links: dict[str, str]) -> None:
    """The project with one output elsewhere, and with links, all committed."""
    for link, target in links.items():
        (fresh.folder / link).parent.mkdir(parents=True, exist_ok=True)
        (fresh.folder / link).symlink_to(target)
    keys = {"model": "model: model/", "metrics": "metrics: [metrics.json]"}
    keys["plots"] = keys["predictions"] = keys["metrics"]
    added = {
        "model": f"model: {value}",
        "metrics": f"metrics: [{value}]",
        "plots": f"metrics: [metrics.json]\n    plots: [{value}]",
        "predictions": "metrics: [metrics.json]\n"
        f"    predictions: {{path: {value}, id: a, label: b, prediction: c}}",
    }
    fresh.edit("assent.yaml", keys[key], added[key])
    fresh.commit("an output elsewhere", push=True)


LINKS = {
    "git": ({"lnk": ".git"}, "lnk"),
    "in git": ({"lnk": ".git"}, "lnk/x"),
    "two links": ({"one": "two", "two": ".git"}, "one/x"),
    "link in a folder": ({"out/lnk": "../.git"}, "out/lnk/x"),
    "hooks": ({"lnk": ".git/hooks"}, "lnk"),
    "assent": ({"lnk": ".assent"}, "lnk/store"),
    "root": ({"lnk": "."}, "lnk"),
    "parent": ({"lnk": ".."}, "lnk"),
    "parent's": ({"lnk": ".."}, "lnk/x"),
    "inputs": ({"lnk": "data"}, "lnk"),
}


@pytest.mark.parametrize("key", ["model", "metrics", "plots", "predictions"])
@pytest.mark.parametrize("what", LINKS)
def test_no_link_leads_to_what_is_kept(fresh: Project, key: str, what: str) -> None:
    links, value = LINKS[what]
    (fresh.folder / ".assent").mkdir(exist_ok=True)
    declared(fresh, key, value, links)
    assert value in refused(fresh)


@pytest.mark.parametrize("value", ["lnk/*", "lnk/**/*", "out/**/HEAD"])
def test_no_glob_leads_to_what_is_kept(fresh: Project, value: str) -> None:
    declared(fresh, "plots", f"'{value}'", {"lnk": ".git", "out/sub/lnk": "../../.git"})
    assert "keep their own files" in refused(fresh)


def test_a_repository_that_is_kept_elsewhere(fresh: Project) -> None:
    (fresh.folder / "kept").mkdir()
    fresh.git("init", "--quiet", "--separate-git-dir", "kept/here")
    fresh.write(".gitignore", FILES[".gitignore"] + "kept\n")
    declared(fresh, "model", "kept/here/m", {})
    assert "kept/here/m" in refused(fresh)
    fresh.edit("assent.yaml", "model: kept/here/m", "model: kept")
    fresh.commit("around it", push=True)
    assert "holds it" in refused(fresh)


def test_a_store_in_the_repository_is_no_output(fresh: Project) -> None:
    fresh.edit("assent.yaml", "store: ../store", "store: store")
    declared(fresh, "model", "store/m", {})
    assert "store/m" in refused(fresh)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model", "../x"),
        ("model", "/tmp/x"),
        ("model", "out/*.bin"),
        ("model", "~/m"),
        ("model", "$OUT/m"),
        ("model", "lnk/m"),
        ("metrics", "../m.json"),
        ("metrics", "/tmp/*.json"),
        ("metrics", "lnk/m.json"),
        ("metrics", "lnk/*.json"),
        ("plots", "'${OUT}/*.png'"),
        ("predictions", "../p.csv"),
    ],
)
def test_what_can_never_be_is_refused_before_a_training(
    fresh: Project, key: str, value: str, tmp_path: Path
) -> None:
    declared(fresh, key, value, {"lnk": str(tmp_path)})
    assert value.strip("'") in refused(fresh, "review")


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("metrics", "'*.yaml'", "assent.yaml"),
        ("metrics", "'**/*.yaml'", "assent.yaml"),
        ("metrics", "'p*.yaml'", "params.yaml"),
        ("metrics", "'*.sh'", ".sh"),
        ("plots", "'*.sh'", ".sh"),
        ("metrics", "train.sh", "train.sh"),
        ("predictions", "assent.yaml", "assent.yaml"),
        ("predictions", "data/train.csv", "data/train.csv"),
        ("plots", "'**/*.yml'", ".github/workflows/ci.yml"),
        ("plots", ".github", ".github"),
        ("model", "assent.lock", "assent.lock"),
        ("model", ".gitignore", ".gitignore"),
    ],
)
def test_what_says_how_models_are_made_is_no_output(
    fresh: Project, key: str, value: str, named: str
) -> None:
    fresh.write(".github/workflows/ci.yml", "on: push\n")
    declared(fresh, key, value, {})
    assert named in refused(fresh)


def test_code_in_the_folder_of_the_model(fresh: Project) -> None:
    fresh.write("src/fit.sh", FILES["train.sh"])
    fresh.edit("assent.yaml", "train: sh train.sh", "train: cd src && sh fit.sh")
    fresh.edit("assent.yaml", "inputs: [train.sh, ", "inputs: [")
    declared(fresh, "model", "src", {})
    assert "src/fit.sh, which the commands run, is in it" in refused(fresh)


def test_outputs_behind_harmless_links(fresh: Project) -> None:
    """Links to folders of the repository's own; a link to a file is set aside itself."""
    fresh.write(".gitignore", FILES[".gitignore"] + "/runs\n/now\n")
    (fresh.folder / "runs/3").mkdir(parents=True)
    (fresh.folder / "now").symlink_to("runs/3")
    (fresh.folder / "metrics.json").symlink_to(".git/description")
    fresh.edit("assent.yaml", "model: model/", "model: now/model")
    fresh.write("train.sh", "mkdir -p now/model; cat params.yaml >now/model/weights.txt\n")
    fresh.commit("links", push=True)
    fresh.run("review", code=11)
    assert (fresh.folder / "runs/3/model/weights.txt").exists()
    assert (fresh.folder / ".git/description").read_text().startswith("Unnamed")


def test_a_link_to_the_newest_of_several_runs_that_inputs_cover(fresh: Project) -> None:
    """What runs have left is no input, whichever name leads to it; what somebody has, is."""
    fresh.write(".gitignore", FILES[".gitignore"] + "/runs\n/latest\n")
    fresh.edit("assent.yaml", "model: model/", "model: latest")
    fresh.edit("assent.yaml", "inputs: [train.sh, data/train.csv]", "inputs: ['**']")
    fresh.write(
        "train.sh",
        "now=runs/$(cat params.yaml | cksum | cut -d' ' -f1)\n"
        "mkdir -p $now; cat params.yaml >$now/weights.txt; ln -sfn $now latest\n",
    )
    fresh.write("notes/1.txt", "by a person")
    fresh.commit("runs", push=True)
    fresh.run("review", code=11)
    fresh.write("params.yaml", "accuracy: 0.9\n")
    fresh.commit("again", push=True)
    fresh.run("review", code=11)
    (fresh.folder / "latest").unlink()
    (fresh.folder / "latest").symlink_to("notes")
    assert "notes/1.txt, an input, is in it" in fresh.run("train", code=2).stderr


# --- evidence in the folder of the model ----------------------------------------------------------


def in_the_model(fresh: Project, *, by: str) -> None:
    """Metrics that lie in the folder of the model and are written by one of the commands."""
    writes = "echo '{\"accuracy\": 0.9}' >model/m.json\n"
    fresh.edit("assent.yaml", "metrics: [metrics.json]", "metrics: [model/m.json]")
    scripts = {name: FILES[name].replace("metrics.json", "/dev/null") for name in FILES}
    for name in ("train.sh", "evaluate.sh"):
        fresh.write(name, scripts[name] + (writes if name.startswith(by) else ""))
    fresh.commit("metrics in the model", push=True)


def test_an_evaluation_that_writes_into_the_model(fresh: Project) -> None:
    in_the_model(fresh, by="evaluate")
    said = fresh.run("review", code=2).stderr
    assert said.index("model/m.json must be written now") < said.index("training churn: sh")
    assert "the evaluation wrote model/m.json into the folder of the model" in said


def test_metrics_that_the_training_writes_into_the_model(fresh: Project) -> None:
    in_the_model(fresh, by="train")
    fresh.run("review", code=11)
    fresh.edit("evaluate.sh", "echo noise", "echo more noise")
    fresh.commit("another evaluation")
    fresh.run("review", code=11)
    assert fresh.runs() == ["train", "evaluate", "evaluate"]


# --- a model that is a link -----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["standing", "dangling"])
def test_a_model_that_is_a_link_to_a_folder_is_reused_there(fresh: Project, how: str) -> None:
    fresh.write(".gitignore", FILES[".gitignore"].replace("model/\n", "/kept\n"))
    fresh.edit("train.sh", "mkdir -p model", "mkdir -p kept/3")
    (fresh.folder / "model").symlink_to("kept/3")
    fresh.commit("a link", push=True)
    fresh.run("review", code=11)
    place = fresh.folder / "kept/3/weights.txt"
    good = place.read_bytes()
    fresh.write("params.yaml", "accuracy: 0.7\n")
    fresh.run("train")
    assert place.read_bytes() != good
    if how == "dangling":
        for path in (fresh.folder / "kept/3").iterdir():
            path.unlink()
        (fresh.folder / "kept/3").rmdir()
    fresh.write("params.yaml", FILES["params.yaml"])
    assert "training skipped" in fresh.run("train").stderr
    assert place.read_bytes() == good
    assert (fresh.folder / "model").readlink() == Path("kept/3")
    assert fresh.git("status", "--porcelain") == ""


def test_what_somebody_put_behind_such_a_link_is_not_lost(fresh: Project) -> None:
    fresh.write(".gitignore", FILES[".gitignore"].replace("model/\n", "/kept\n"))
    fresh.edit("train.sh", "mkdir -p model", "mkdir -p kept/3")
    (fresh.folder / "model").symlink_to("kept/3")
    fresh.commit("a link", push=True)
    fresh.run("review", code=11)
    fresh.write("kept/3/notes.txt", "mine")
    assert "model/notes.txt would be lost" in fresh.run("train", code=2).stderr
    assert (fresh.folder / "kept/3/notes.txt").read_text() == "mine"


def test_a_model_that_is_a_link_to_a_file(tmp_path: Path) -> None:
    """What it leads to stays, whichever model stands in its place."""
    files = {
        **FILES,
        ".gitignore": ".assent/\nruns.log\nmetrics.json\nmodel.bin\nshelf/\n",
        "train.sh": "echo train >>runs.log; cat params.yaml >model.bin\n",
    }
    files["assent.yaml"] = FILES["assent.yaml"].replace("model: model/", "model: model.bin")
    mine = new_project(tmp_path / "place", files)
    mine.run("review", code=11)
    mine.write("shelf/old.bin", "old")
    (mine.folder / "model.bin").unlink()
    (mine.folder / "model.bin").symlink_to("shelf/old.bin")
    assert "training skipped" in mine.run("train").stderr
    assert (mine.folder / "model.bin").read_text() == FILES["params.yaml"]
    assert (mine.folder / "shelf/old.bin").read_text() == "old"


@pytest.mark.parametrize("target", [".git", ".git/model", ".assent", "lnk", "lnk/x"])
def test_pulling_onto_what_is_kept(shipped: Project, target: str) -> None:
    (shipped.folder / "lnk").symlink_to(".git")
    refusal = shipped.run("pull", "production", "--to", target, "--force", code=2)
    assert "is or holds a repository" in refusal.stderr
    assert shipped.git("rev-parse", "HEAD")
    assert json.loads(shipped.run("status", "--json").stdout)
