"""The main job from end to end, as a person at a terminal does it, and what saves them work."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.e2e.project import CONFIG, FILES, GRACE, ROSA, Project, new_project


@pytest.mark.usefixtures("for_real")
def test_from_a_change_to_production_and_back(fresh: Project) -> None:
    fresh.run("train")
    fresh.run("evaluate")
    bundle = fresh.run("bundle", "--json").json["bundle"]
    review = fresh.run("review", code=11)
    assert "WAITING FOR APPROVAL" in review.stdout
    assert "no baseline" in review.stdout

    refused = fresh.run("approve", "--as", "ada", code=10)
    assert "ada: approved, does not count: made this change" in refused.stdout
    assert "was not registered" in fresh.run("register", code=11).stdout
    fresh.run("approve", "--as", GRACE)
    assert "as v1" in fresh.run("register").stdout
    assert fresh.run("resolve", "v1", "--json").json["bundle"] == bundle

    skipped = fresh.run("promote", "production", code=10)
    assert "v1 was never in staging" in skipped.stdout
    fresh.run("promote", "staging")
    assert "0 of 1 given" in fresh.run("promote", "production", code=11).stdout
    fresh.run("approve", "--bundle", "v1", "--as", ROSA)
    fresh.run("promote", "production")

    fresh.branch("better", accuracy="0.9")
    fresh.run("review", code=11)
    supposed = fresh.run("explain", "--if-approved-by", GRACE)
    assert "if grace approved" in supposed.stdout
    assert "PASSED" in supposed.stdout
    fresh.run("explain", code=11)
    fresh.run("approve", "--as", GRACE)
    assert "is not part of main" in fresh.run("register", code=10).stderr
    fresh.merge("better")
    assert "as v2" in fresh.run("register").stdout
    assert re.search("accuracy +0.8 → 0.9", fresh.run("diff", "v1", "v2").stdout)
    fresh.ship("v2")

    held = fresh.run("retire", "v2", "--reason", "a leak", code=10)
    assert "v2 is in staging, production" in held.stdout
    back = fresh.run("rollback", "production", "--reason", "complaints")
    assert "rolled production back to v1 from v2" in back.stdout
    fresh.run("note", "complaint 17", "--version", "v2", "--link", "alert=https://example.com/17")
    fresh.run("clear", "staging", "--reason", "tidy")
    assert "staging     nothing" in fresh.run("status").stdout
    fresh.run("retire", "v2", "--reason", "a leak")
    assert "v2 is retired" in fresh.run("promote", "staging", "v2", code=10).stdout

    fresh.run("pull", "production", "--to", "served")
    assert "accuracy: 0.8" in (fresh.folder / "served/weights.txt").read_text()
    assert fresh.run("resolve", "production").stdout == f"v1 {bundle}\n"
    shown = fresh.run("timeline").stdout
    assert shown.index("retire v2") < shown.index("roll back production to v1")
    assert "because: complaints" in shown
    assert "alert: https://example.com/17" in shown
    assert "nobody had to approve this; approved before by" in shown
    told = fresh.run("show", "v1").stdout
    assert "stands in    production" in told
    assert "metric accuracy" in told
    assert "accuracy min 0.5" in fresh.run("explain", "--entry", "1").stdout
    fresh.run("verify")
    # The branch is a timeline without any tool.
    assert fresh.entries()[:5] == [
        "retire v2",
        "clear staging",
        "note on v2",
        "roll back production to v1",
        "promote v2 to production",
    ]


def test_a_change_that_does_not_touch_the_inputs_trains_nothing_again(shipped: Project) -> None:
    shipped.write("README.md", "# Churn\n")
    shipped.commit("docs", push=True)
    assert "training skipped" in shipped.run("train").stderr
    assert "evaluation skipped" in shipped.run("evaluate").stderr
    assert "nothing new" in shipped.run("bundle").stdout
    assert shipped.run("review").code == 0
    assert shipped.runs() == ["train", "evaluate"]


def test_force_trains_again(shipped: Project) -> None:
    shipped.run("train", "--force")
    shipped.run("evaluate", "--force")
    assert shipped.runs() == ["train", "evaluate", "train", "evaluate"]


def test_other_evaluation_does_not_train_again(shipped: Project) -> None:
    shipped.write("evaluate.sh", FILES["evaluate.sh"] + "# other\n")
    shipped.run("review", code=11)
    assert shipped.runs() == ["train", "evaluate", "evaluate"]
    assert "was not trained for this evaluation: it is one made from" in shipped.comment()


def test_a_fresh_clone_gets_the_model_from_the_store(shipped: Project) -> None:
    clone = shipped.clone("elsewhere")
    assert not (clone.folder / "model").exists()
    clone.run("train")
    assert clone.runs() == []
    model = shipped.folder / "model"
    for name in ("weights.txt", "format"):
        assert (clone.folder / "model" / name).read_bytes() == (model / name).read_bytes()
    clone.run("review")


def test_a_model_that_was_changed_by_hand_is_not_lost_and_put_back_when_asked(
    shipped: Project,
) -> None:
    model = shipped.folder / "model"
    shipped.write("model/weights.txt", "tampered\n")
    shipped.write("model/more.txt", "added\n")
    refused = shipped.run("train", code=2)
    assert "model/more.txt" in refused.stderr
    assert "model/weights.txt" in refused.stderr
    assert (model / "weights.txt").read_text() == "tampered\n"
    assert (model / "more.txt").read_text() == "added\n"
    (model / "more.txt").unlink()
    (model / "weights.txt").unlink()
    shipped.run("train")
    assert "accuracy: 0.8" in (model / "weights.txt").read_text()


def test_a_model_that_another_run_has_left_is_replaced(shipped: Project) -> None:
    shipped.branch("other", accuracy="0.9")
    shipped.run("review", code=11)
    shipped.git("checkout", "--quiet", "main")
    shipped.run("train")
    assert "accuracy: 0.8" in (shipped.folder / "model/weights.txt").read_text()
    assert shipped.runs() == ["train", "evaluate"] * 2


@pytest.mark.parametrize("how", [("--no-ff",), ("--ff-only",), ("--squash",)])
def test_what_was_reviewed_on_the_branch_is_registered_after_the_merge(
    shipped: Project, how: tuple[str, ...]
) -> None:
    shipped.branch("better", accuracy="0.9")
    reviewed = shipped.run("review", "--json", code=11).json
    shipped.run("approve", "--as", GRACE)
    shipped.git("checkout", "--quiet", "main")
    shipped.merge("better", *how)
    registered = shipped.run("register", "--json").json
    assert registered["bundle"] == reviewed["report"]["diff"]["candidate"]["bundle"]
    assert registered["version"] == 2
    assert shipped.runs() == ["train", "evaluate"] * 2


def test_a_merge_with_other_inputs_is_trained_and_reviewed_again(shipped: Project) -> None:
    shipped.branch("better", accuracy="0.9")
    shipped.run("review", code=11)
    shipped.run("approve", "--as", GRACE)
    shipped.git("checkout", "--quiet", "main")
    shipped.write("data/train.csv", "x,y\n1,1\n")
    shipped.commit("other data", push=True)
    shipped.merge("better")
    refused = shipped.run("register", code=2)
    assert "run `assent review`" in refused.stderr
    shipped.run("review", code=11)
    shipped.run("register", code=11)


def test_several_models_and_a_configuration_in_a_subfolder(tmp_path: Path) -> None:
    two = CONFIG.replace("store: ../store", "store: ../../store")
    head, _, people = two.partition("people:")
    again = head.partition("models:\n")[2].replace("  churn:", "  upsell:", 1)
    files = {f"team/{path}": text for path, text in FILES.items()}
    files["team/assent.yaml"] = f"{head}{again}people:{people}"
    project = new_project(tmp_path / "place", files)

    assert "assent.yaml" in project.run("status", code=2).stderr
    deep = project.inside("team/data")
    unnamed = deep.run("review", code=2)
    assert "name one: churn, upsell" in unnamed.stderr
    for model in ("churn", "upsell"):
        deep.run("review", model, code=11)
        deep.run("approve", model, "--as", GRACE)
        deep.run("register", model)
    deep.run("promote", "staging", "--model", "upsell")
    shown = deep.run("status", "--json").json["models"]
    assert [model["model"] for model in shown] == ["churn", "upsell"]
    assert [list(model["state"].get("stages", ())) for model in shown] == [[], ["staging"]]
    # The same, named from the top.
    project.run("status", "--config", "team/assent.yaml")
    deep.run("pull", "v1", "--model", "churn", "--to", "served")
    assert (project.folder / "team/data/served/weights.txt").exists()
    assert "2 models" in deep.run("verify").stdout


def test_from_a_subfolder(fresh: Project) -> None:
    inside = fresh.inside("data")
    inside.run("review", code=11)
    inside.run("approve", "--as", GRACE)
    inside.run("register")
    assert (fresh.folder / "model/weights.txt").exists()


def test_without_a_remote_the_repository_holds_the_ledger(fresh: Project) -> None:
    fresh.git("remote", "remove", "origin")
    fresh.register()
    fresh.run("promote", "staging")
    fresh.run("verify")
    assert fresh.git("log", "-1", "--format=%s", "assent/churn") == "promote v1 to staging"


def test_every_verb_prints_one_json_document(fresh: Project) -> None:
    """Also when the team's own command prints, and when the verdict is no."""
    said = {
        "train": fresh.run("train", "--json"),
        "evaluate": fresh.run("evaluate", "--json"),
        "bundle": fresh.run("bundle", "--json"),
        "review": fresh.run("review", "--json", code=11),
        "approve": fresh.run("approve", "--as", GRACE, "--json"),
        "register": fresh.run("register", "--json"),
        "promote": fresh.run("promote", "shadow", "--json"),
        "note": fresh.run("note", "seen", "--json"),
        "status": fresh.run("status", "--json"),
        "timeline": fresh.run("timeline", "--json"),
        "show": fresh.run("show", "v1", "--json"),
        "explain --entry": fresh.run("explain", "--entry", "1", "--json"),
        "diff": fresh.run("diff", "v1", "v1", "--json"),
        "explain": fresh.run("explain", "--stage", "staging", "--json"),
        "resolve": fresh.run("resolve", "shadow", "--json"),
        "pull": fresh.run("pull", "shadow", "--to", "served", "--json"),
        "verify": fresh.run("verify", "--json"),
        "clear": fresh.run("clear", "shadow", "--reason", "x", "--json"),
        "rollback": fresh.run("rollback", "shadow", "--to", "v1", "--reason", "x", "--json"),
        "retire": fresh.run("retire", "v1", "--reason", "x", "--json", code=10),
        "init": fresh.run("init", "--force", "--json"),
    }
    for verb, ran in said.items():
        assert isinstance(json.loads(ran.stdout), dict), verb
        assert ran.stdout.count("\n") == 1, verb
    assert "noise of the training" in said["train"].stderr
    assert said["register"].json["version"] == 1


def test_an_error_is_json_too(fresh: Project) -> None:
    error = fresh.run("resolve", "production", "--json", code=2).json["error"]
    assert error["doing"] == "resolving 'production' of churn"
    assert error["problem"] == "the stage holds nothing"
    assert error["exit_code"] == 2
    usage = fresh.run("resolve", "--json", code=2).json["error"]
    assert "Missing argument" in usage["problem"]


def test_what_init_writes_works(tmp_path: Path) -> None:
    files = {path: FILES[path] for path in FILES if path not in ("assent.yaml", ".gitignore")}
    files["train.sh"] = "mkdir -p model; cat params.yaml >model/weights.bin\n"
    project = new_project(tmp_path / "place", files)
    project.write("metrics.json", '{"accuracy": 0.7}')
    said = project.run("init", "--name", "churn").stdout
    assert "wrote assent.yaml for the model churn" in said
    assert ".assent/" in (project.folder / ".gitignore").read_text()
    project.commit("use Assent", push=True)
    project.run("review", code=11)
    assert (project.folder / ".assent/store/blobs").is_dir()  # the default store
    again = project.run("init", code=2)
    assert "--force" in again.stderr


def test_repeating_a_step_says_that_it_is_done(shipped: Project) -> None:
    assert "is v1 already" in shipped.run("register").stdout
    assert "production holds v1 already" in shipped.run("promote", "production").stdout
    assert "recorded" not in shipped.run("approve", "--as", GRACE).stdout
    shipped.run("pull", "v1", "--to", "served")
    assert "already there: v1" in shipped.run("pull", "v1", "--to", "served").stdout
    assert len(shipped.entries()) == 5
