"""Thirteen repositories as strangers lay them out: clone, `assent init`, first `assent review`.

What DVC, Kedro, Jupyter, Hydra, MLflow, PyTorch and Hugging Face do here is done by stand-ins below
`standins/`, as far as the layouts need it.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assent.config.read import read_config
from assent.config.settings import ModelSettings
from tests.e2e.project import Project, new_project
from tests.layouts.gitlab_ci import LAYOUTS as GITLAB
from tests.layouts.layout import Edit, Expected, Layout

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs/layouts.md"
ONES = (
    *("dvc_pipeline", "dvc_foreach", "mlproject", "kedro_project", "cookiecutter"),
    *("pytorch_template", "notebook", "monorepo", "makefile", "hydra_project", "tutorial"),
    "hugging_face",
)
LAYOUTS: dict[str, Layout] = {
    **{name: importlib.import_module(f"tests.layouts.{name}").LAYOUT for name in ONES},
    **GITLAB,
}


@pytest.fixture(params=LAYOUTS, ids=str)
def layout(request: pytest.FixtureRequest) -> Layout:
    return LAYOUTS[request.param]


@pytest.fixture
def clone(layout: Layout, tmp_path: Path) -> Project:
    """A fresh clone of a layout, with what somebody has fetched beside it."""
    project = new_project(tmp_path / "place", layout.files)
    path = [str(HERE / "standins/bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    env = {
        "PATH": os.pathsep.join(path),
        "PYTHONPATH": str(HERE / "standins/lib"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "default",  # the strangers' own
    }
    project = replace(project, env=env)
    there = replace(project.clone("clone/work"), env=env)
    for name, text in layout.beside.items():
        there.write(name, text)
    return there


def edited(project: Project, edit: Edit) -> None:
    text = (project.folder / edit.path).read_text()
    place = text.index("\n", text.index(edit.after))
    added = "".join(f"\n{line}" for line in edit.lines)
    (project.folder / edit.path).write_text(text[:place] + added + text[place:])


def settings(project: Project, layout: Layout) -> Iterator[tuple[Expected, ModelSettings]]:
    for (folder, name), expected in layout.models.items():
        path = project.folder / folder / "assent.yaml"
        yield expected, read_config(path.read_bytes(), str(path)).models[name]


def test_what_init_writes_is_what_is_there(layout: Layout, clone: Project) -> None:
    for edit in layout.edits:
        edited(clone, edit)
    clone.run("init")
    names = {
        (path.parent.relative_to(clone.folder).as_posix().removeprefix("."), name)
        for path in clone.folder.rglob("assent.yaml")
        for name in read_config(path.read_bytes(), str(path)).models
    }
    assert names == set(layout.models)
    for expected, found in settings(clone, layout):
        assert (found.train, found.evaluate) == (expected.train, expected.evaluate)
        assert (found.model, found.metrics) == (expected.model, expected.metrics)
        assert set(expected.inputs) <= set(found.inputs)
        assert not set(expected.never_inputs) & set(found.inputs)
        paths = {name: its.path for name, its in found.data_sets.items()}
        assert paths == expected.data
        assert set(expected.params) <= set(found.params)


def test_the_first_review_has_figures_after_the_edits_that_are_counted(
    layout: Layout, clone: Project
) -> None:
    for edit in layout.edits:
        edited(clone, edit)
    clone.run("init")
    for (folder, name), expected in layout.models.items():
        ran = clone.inside(folder) if folder else clone
        said = ran.run("review", name, "--json", code=11).json
        evidence = said["report"]["evidence"]
        assert set(expected.figures) <= set(evidence["metrics"])
        assert evidence["problems"] == []


def test_without_the_edits_init_says_which_lines_to_add(layout: Layout, clone: Project) -> None:
    said = clone.run("init").stdout
    assert ("import json" in said) == bool(layout.edits)
    for edit in layout.edits:
        for line in edit.lines[1:]:
            wanted = line.strip().removesuffix('\\n",').lstrip('"').replace('\\"', '"')
            assert wanted.replace("../", "") in said


def test_looking_writes_nothing(layout: Layout, clone: Project) -> None:
    before = clone.git("status", "--porcelain", "--ignored")
    said = clone.run("init", "--dry-run").stdout
    assert "nothing was written" in said
    for expected in layout.models.values():
        assert expected.train in said
    seen = clone.run("init", "--dry-run", "--json").json["sight"]["projects"]
    assert {(one["folder"], its["name"]) for one in seen for its in one["models"]} == set(
        layout.models
    )
    assert clone.git("status", "--porcelain", "--ignored") == before


def test_the_documents_count_the_edited_lines() -> None:
    table = DOCS.read_text().partition("| lines to edit |")[2]
    rows = [line.strip("| ").rpartition(" | ") for line in table.splitlines()[2:]]
    stated = {title: int(count) for title, _, count in rows}
    assert stated == {one.title: one.edited_lines for one in LAYOUTS.values()}
    assert sum(count == 0 for count in stated.values()) >= 8
    assert max(stated.values()) <= 2
