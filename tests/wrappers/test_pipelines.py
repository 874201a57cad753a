"""What `init --gitlab` makes of the template of the whole way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from assent.errors import UsageError
from assent.forges.gitlab.pipelines import COPY, PLACEHOLDER, SOURCE, GitLabPipelines
from assent.setup.gitlab.team import FILE
from assent.verbs.init import init
from tests.e2e.project import CONFIG, Project, new_project

SHA = "0123456789" * 4
ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "place")


def included(text: str) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = yaml.safe_load(text)["include"]
    return loaded


def test_what_is_shipped_is_the_template() -> None:
    assert SOURCE.read_text() == (ROOT / "gitlab-templates/pipeline.yml").read_text()


def test_init_writes_the_pipeline_beside_a_configuration_that_is_there(project: Project) -> None:
    before = (project.folder / "assent.yaml").read_text()
    result = init(project.folder, pipelines=GitLabPipelines())
    assert (result.is_kept, result.is_pinned, result.forge) == (True, False, "gitlab")
    assert (project.folder / "assent.yaml").read_text() == before
    assert {path.name for path in result.workflows} == {"assent.yml", FILE}
    assert (project.folder / COPY).read_text() == SOURCE.read_text()
    [one] = included((project.folder / FILE).read_text())
    assert one == {
        "local": COPY,
        "inputs": {
            "install": PLACEHOLDER,
            "artifacts": [".assent/work/", "model/", "metrics.json"],
            "stages": ["shadow", "staging", "production"],
        },
    }
    again = init(project.folder, pipelines=GitLabPipelines())
    assert (again.workflows, again.to_add) == ((), None)


def test_init_writes_both_where_there_is_neither(project: Project) -> None:
    (project.folder / "assent.yaml").unlink()
    result = init(project.folder, name="churn", pipelines=GitLabPipelines())
    assert not result.is_kept
    assert (project.folder / "assent.yaml").is_file()
    [one] = included((project.folder / FILE).read_text())
    assert one["inputs"]["stages"] == ["staging", "production"]


def test_init_pins_the_project_that_it_includes_from(project: Project) -> None:
    result = init(project.folder, pipelines=GitLabPipelines(templates=f"acme/ml/assent@{SHA}"))
    assert result.is_pinned
    assert not (project.folder / COPY).exists()
    [one] = included((project.folder / FILE).read_text())
    assert (one["project"], one["ref"]) == ("acme/ml/assent", SHA)
    assert (ROOT / one["file"]).is_file()
    assert one["inputs"]["install"] == f"git+$CI_SERVER_URL/acme/ml/assent@{SHA}"


@pytest.mark.parametrize(
    "origin", ["acme/assent@v1", "acme/assent", f"acme@{SHA}", f"a b/c@{SHA}", f"acme/../x@{SHA}"]
)
def test_templates_that_could_move_are_refused(project: Project, origin: str) -> None:
    with pytest.raises(UsageError, match="not GROUP/PROJECT@COMMIT"):
        init(project.folder, pipelines=GitLabPipelines(templates=origin))
    assert not (project.folder / FILE).exists()


def test_what_to_install_is_taken_as_it_is(project: Project) -> None:
    init(project.folder, pipelines=GitLabPipelines(install='it\'s "x": [y'))
    [one] = included((project.folder / FILE).read_text())
    assert one["inputs"]["install"] == 'it\'s "x": [y'


def test_a_pipeline_that_is_there_is_never_changed(project: Project) -> None:
    project.write(FILE, "test: {script: [make]}\n")
    result = init(project.folder, pipelines=GitLabPipelines(), force=True)
    assert (project.folder / FILE).read_text() == "test: {script: [make]}\n"
    assert result.to_add is not None
    assert included(result.to_add.partition("\n")[2])[0]["local"] == COPY
    said = project.run("init", "--gitlab").stdout
    assert "your .gitlab-ci.yml stays as it is; please do:" in said
    assert "git mv .gitlab-ci.yml .gitlab/ci.yml" in said
    assert "seen: test would run again in pipelines of a review" in said
    assert f"- local: {COPY}" in said


def test_a_copy_that_somebody_has_edited_is_replaced_by_force_alone(project: Project) -> None:
    project.write(COPY, "mine: {}\n")
    with pytest.raises(UsageError, match="says something else"):
        init(project.folder, pipelines=GitLabPipelines())
    assert not (project.folder / FILE).exists()
    init(project.folder, pipelines=GitLabPipelines(), force=True)
    assert (project.folder / COPY).read_text() == SOURCE.read_text()


def test_several_models_have_jobs_and_environments_of_their_own(project: Project) -> None:
    _, _, body = CONFIG.partition("  churn:\n")
    model, _, people = body.partition("people:")
    project.write(
        "assent.yaml",
        f"store: ../store\nmodels:\n  churn:\n{model}  price:\n{model}people:{people}",
    )
    init(project.folder, pipelines=GitLabPipelines())
    made = [one["inputs"] for one in included((project.folder / FILE).read_text())]
    assert [one["model"] for one in made] == ["churn", "price"]
    assert [one["job-prefix"] for one in made] == ["assent-churn", "assent-price"]
    assert [one["environment-prefix"] for one in made] == ["churn/", "price/"]


def test_init_writes_where_gitlab_looks(project: Project) -> None:
    with pytest.raises(UsageError, match="not the top folder"):
        init(project.folder / "data", pipelines=GitLabPipelines())


def test_options_that_belong_to_the_other_forge_are_refused(project: Project) -> None:
    assert "exclude each other" in project.run("init", "--github", "--gitlab", code=2).stderr
    assert "need --gitlab" in project.run("init", "--templates", f"a/b@{SHA}", code=2).stderr
