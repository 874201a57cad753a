"""Scheduled retraining without a forge's server: the branch, the lock, and what follows from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.config.lock import read_lock
from tests.e2e.project import FILES, GRACE, Project, copy_project, new_project

# What training learns comes from outside of the repository, as from a table that grows.
OUTSIDE = {
    **FILES,
    "train.sh": "echo train >>runs.log; mkdir -p model; cat ../world >model/weights.txt\n",
    "evaluate.sh": "echo evaluate >>runs.log\n"
    "sed 's/.*/{\"accuracy\": &}/' model/weights.txt >metrics.json\n",
}
BRANCH = "retrain/churn"


@pytest.fixture(scope="module")
def _living(tmp_path_factory: pytest.TempPathFactory) -> Project:
    place = tmp_path_factory.mktemp("living") / "place"
    place.mkdir()
    (place / "world").write_text("0.8\n")
    project = new_project(place, OUTSIDE)
    project.register()
    project.ship("v1")
    return project


@pytest.fixture
def living(_living: Project, tmp_path: Path) -> Project:
    """v1 is in production, and the world that it was trained on changes."""
    return copy_project(_living, tmp_path / "place")


def world(project: Project, accuracy: float) -> None:
    (project.folder.parent / "world").write_text(f"{accuracy}\n")


def remote(project: Project, *arguments: str) -> str:
    return project.git("-C", str(project.remote), *arguments)


def branches(project: Project) -> list[str]:
    return remote(project, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()


def locked(project: Project, revision: str = BRANCH) -> str:
    text = remote(project, "show", f"{revision}:assent.lock")
    return read_lock(text.encode(), "assent.lock")["churn"].bundle


def checkout(project: Project, branch: str) -> None:
    project.git("fetch", "--quiet", "origin", f"+{branch}:refs/remotes/origin/{branch}")
    project.git("checkout", "--quiet", "-B", branch.rpartition("/")[2], f"origin/{branch}")


def proposed(project: Project, accuracy: float = 0.9) -> str:
    """The bundle that a retraining has proposed."""
    world(project, accuracy)
    bundle: str = project.run("retrain", "--json").json["bundle"]
    return bundle


def test_a_better_model_is_proposed_reviewed_merged_and_registered(living: Project) -> None:
    before = living.git("status", "--porcelain", "--branch")
    main = remote(living, "rev-parse", "main")
    world(living, 0.9)
    result = living.run("retrain", "--json").json
    bundle = result["bundle"]
    assert (result["is_better"], result["change"]) == (True, BRANCH)
    assert "accuracy 0.8 → 0.9" in result["sentence"]
    assert locked(living) == bundle
    assert remote(living, "log", "-1", "--format=%s%n%P", BRANCH).splitlines() == [
        "Retrain churn: accuracy 0.8 → 0.9",
        main,
    ]
    assert remote(living, "diff", "--name-only", main, BRANCH) == "assent.lock"
    assert living.git("status", "--porcelain", "--branch") == before
    assert not (living.folder / "assent.lock").exists()

    runs = living.runs()
    checkout(living, BRANCH)
    review = living.run("review", "--json", code=11).json
    assert review["report"]["diff"]["candidate"]["bundle"] == bundle
    assert living.run("bundle", "--json").json["bundle"] == bundle
    assert "names the bundle of these inputs" in living.run("train").stderr
    assert living.run("evaluate", "--json").json["reused"] == bundle
    assert living.run("bundle", "--json").json["bundle"] == bundle
    refused = living.run("approve", "--as", "ada", code=10)
    assert "does not count" in refused.stdout
    living.run("approve", "--as", GRACE)
    living.merge("churn")
    registered = living.run("register", "--json").json
    assert (registered["version"], registered["bundle"]) == (2, bundle)
    assert living.runs() == runs, "nothing was trained again"
    living.ship("v2")
    living.run("verify")
    noted = f"retrained: {bundle[:19]} is better than v1: accuracy 0.8 → 0.9"
    assert noted in living.run("timeline").stdout


def test_a_retrained_model_whose_lock_is_taken_back(living: Project) -> None:
    """Two versions of the same inputs, of which a lock has named one."""
    proposed(living)
    checkout(living, BRANCH)
    living.run("review", code=11)
    living.run("approve", "--as", GRACE)
    living.merge("churn")
    living.run("register")
    taken = living.run("promote", "shadow", "--json").json
    assert (taken["version"], "is back" in taken["sentence"]) == (2, False)
    living.run("clear", "shadow", "--reason", "not wanted")
    living.git("revert", "--no-edit", "--mainline", "1", "HEAD")
    living.git("push", "--quiet", "origin", "main")
    taken = living.run("promote", "shadow", "--json").json
    assert (taken["version"], "is back at the inputs of v1" in taken["sentence"]) == (1, True)


def test_what_is_not_better_is_not_proposed(living: Project) -> None:
    before = branches(living), living.entries()
    world(living, 0.7)
    result = living.run("retrain", "--json").json
    assert (result["is_better"], result["change"]) == (False, None)
    assert "gates failed" in result["sentence"]
    assert [one["rule"] for one in result["failed"]] == ["accuracy max_drop 0.05"]
    world(living, 0.79)
    assert "accuracy 0.8 → 0.79 is no improvement" in living.run("retrain").stdout
    world(living, 0.8)
    assert "v1 again, byte for byte" in living.run("retrain").stdout
    assert (branches(living), living.entries()) == before


def test_what_nobody_has_reviewed_is_not_what_others_get(living: Project) -> None:
    """A result that was not merged must not become the bundle of its inputs."""
    shipped = living.run("resolve", "production", "--json").json["bundle"]
    proposed(living)
    assert shipped[:19] in living.run("train").stdout
    assert "is v1 already" in living.run("register").stdout
    checkout(living, BRANCH)
    for verb in ("train", "evaluate", "bundle"):
        living.run(verb)
    living.git("checkout", "--quiet", "main")
    assert shipped[:19] in living.run("train").stdout
    assert "is v1 already" in living.run("register").stdout


def test_a_dry_run_proposes_nothing(living: Project) -> None:
    before = branches(living), living.entries()
    world(living, 0.9)
    result = living.run("retrain", "--dry-run", "--json").json
    assert (result["is_better"], result["change"]) == (True, None)
    assert (branches(living), living.entries()) == before


def test_a_proposal_that_is_as_good_stays(living: Project) -> None:
    bundle = proposed(living)
    tip = remote(living, "rev-parse", BRANCH)
    entries = living.entries()
    assert "as proposed already" in living.run("retrain").stdout
    assert proposed(living, 0.85) == bundle
    assert remote(living, "rev-parse", BRANCH) == tip
    assert living.entries() == entries


def test_a_better_one_takes_the_place_of_a_proposal(living: Project) -> None:
    first = proposed(living, 0.85)
    second = proposed(living, 0.9)
    assert locked(living) == second != first
    assert remote(living, "log", "--format=%s", f"main..{BRANCH}") == (
        "Retrain churn: accuracy 0.8 → 0.9"
    )


def test_a_proposal_follows_the_base_branch(living: Project) -> None:
    bundle = proposed(living)
    living.write("README.md", "# Churn\n")
    main = living.commit("docs", push=True)
    assert proposed(living) == bundle
    assert remote(living, "rev-parse", f"{BRANCH}^") == main
    living.write("data/train.csv", "x,y\n9,9\n")
    living.commit("data", push=True)
    assert proposed(living) != bundle, "its inputs are other ones now"


@pytest.mark.threat(31)
def test_a_shallow_clone_is_enough(living: Project) -> None:
    bundle = proposed(living)
    tip = remote(living, "rev-parse", BRANCH)
    job = living.clone("job", "--depth=1")
    assert "as proposed already" in job.run("retrain").stdout
    assert remote(living, "rev-parse", BRANCH) == tip
    world(living, 0.95)
    better = job.run("retrain", "--json").json["bundle"]
    assert locked(living) == better != bundle
    assert remote(living, "rev-parse", f"{BRANCH}^") == remote(living, "rev-parse", "main")
    remote(living, "fsck", "--connectivity-only")


def test_what_somebody_else_has_pushed_there_is_not_lost(living: Project) -> None:
    proposed(living)
    other = living.clone("other")
    other.identify("Grace", "grace@example.com")
    checkout(other, BRANCH)
    other.write("note.txt", "mine\n")
    tip = other.commit("mine")
    other.git("push", "--quiet", "origin", f"HEAD:{BRANCH}")
    world(living, 0.95)
    refused = living.run("retrain", code=10)
    assert "grace@example.com has put a commit on it" in refused.stderr
    assert remote(living, "rev-parse", BRANCH) == tip


def test_other_models_keep_their_lock(living: Project) -> None:
    bundle = "sha256:" + "7" * 64
    inputs = "sha256:" + "8" * 64
    living.write(
        "assent.lock",
        "format: assent/lock/1\nmodels:\n"
        f"  fraud: {{bundle: '{bundle}', inputs: '{inputs}', entry: 3}}\n",
    )
    living.commit("lock", push=True)
    churn = proposed(living)
    text = remote(living, "show", f"{BRANCH}:assent.lock").encode()
    models = read_lock(text, "assent.lock")
    assert {name: one.bundle for name, one in models.items()} == {"churn": churn, "fraud": bundle}


def test_a_stale_lock_is_said_and_trains_as_usual(living: Project) -> None:
    bundle = proposed(living)
    checkout(living, BRANCH)
    living.write("params.yaml", "accuracy: 0.5\n")
    done = living.run("train")
    assert "assent.lock is stale" in done.stderr
    assert living.runs()[-1] == "train"
    living.run("evaluate")
    assert living.run("bundle", "--json").json["bundle"] != bundle


def test_the_lock_is_no_input_of_training(living: Project) -> None:
    living.edit(
        "assent.yaml", "inputs: [train.sh, data/train.csv]", "inputs: ['assent.*', '*.sh', data]"
    )
    living.commit("everything", push=True)
    bundle = proposed(living)
    checkout(living, BRANCH)
    assert "stale" not in living.run("train").stderr
    living.run("evaluate")
    assert living.run("bundle", "--json").json["bundle"] == bundle


def test_force_trains_although_there_is_a_lock(living: Project) -> None:
    proposed(living)
    checkout(living, BRANCH)
    runs = len(living.runs())
    living.run("train", "--force")
    assert living.runs()[runs:] == ["train"]


def test_a_job_without_the_store_hands_the_locked_bundle_over_by_name(
    living: Project, tmp_path: Path
) -> None:
    bundle = proposed(living)
    checkout(living, BRANCH)
    runs = living.runs()
    store = living.store.rename(tmp_path / "elsewhere")
    made = tmp_path / "made"
    trained = living.run("train")
    assert "so nothing is trained" in trained.stderr
    assert "nothing evaluated" in living.run("evaluate").stdout
    assert living.run("bundle", "--output", str(made), "--json").json["bundle"] == bundle
    assert living.runs() == runs
    assert not living.store.exists(), "an untrusted job leaves no trace where a store would be"
    missing = living.run("bundle", code=4)
    assert "does not hold" in missing.stderr or "not in the store" in missing.stderr
    store.rename(living.store)
    taken = living.run("bundle", "--from", str(made), "--json").json
    assert (taken["bundle"], taken["new_bytes"]) == (bundle, 0)


def test_a_name_of_what_the_store_does_not_hold_is_refused(living: Project, tmp_path: Path) -> None:
    proposed(living)
    checkout(living, BRANCH)
    store = living.store.rename(tmp_path / "elsewhere")
    made = tmp_path / "made"
    living.run("train")
    living.run("bundle", "--output", str(made))
    living.run("bundle", "--from", str(made), code=4)
    store.rename(living.store)


def test_register_takes_no_other_bundle_than_the_locked_one(living: Project) -> None:
    bundle = proposed(living)
    checkout(living, BRANCH)
    living.run("review", code=11)
    living.run("approve", "--as", GRACE)
    living.merge("churn")
    assert "is v1 already" in living.run("register", "--bundle", "v1").stdout
    living.run("train", "--force")
    living.run("evaluate", "--force")
    other = living.run("bundle", "--json").json["bundle"]
    assert other != bundle
    living.run("register", "--bundle", other, code=11)  # nobody has approved that one
    assert living.run("register", "--json").json["bundle"] == bundle


@pytest.mark.parametrize("where", ["branch", "behind", "dirty"])
def test_only_the_newest_commit_of_the_base_branch_is_retrained(
    living: Project, where: str
) -> None:
    if where == "branch":
        living.branch("topic", accuracy="0.9")
    elif where == "behind":
        living.write("README.md", "# Churn\n")
        living.commit("docs", push=True)
        living.git("reset", "--quiet", "--hard", "HEAD^")
    else:
        living.write("params.yaml", "accuracy: 0.9\n")
    before = living.entries(), living.runs()
    refused = living.run("retrain", code=2)
    wanted = "differs from its commit" if where == "dirty" else "not the newest commit of main"
    assert wanted in refused.stderr
    assert (living.entries(), living.runs()) == before


def test_the_metric_that_decides_is_named_and_known(living: Project) -> None:
    world(living, 0.9)
    unknown = living.run("retrain", "--metric", "goodness", code=2)
    assert "directions: {goodness: higher}" in unknown.stderr
    absent = living.run("retrain", "--metric", "roc_auc", code=2)
    assert "v1 has no number called 'roc_auc'" in absent.stderr
    assert living.runs().count("train") == 1, "that is said before anything is trained"
    assert living.run("retrain", "--metric", "accuracy", "--json").json["is_better"]


def test_without_a_baseline_nothing_is_trained(fresh: Project) -> None:
    assert "nothing yet that a new model could be better than" in fresh.run("retrain").stdout
    assert fresh.runs() == []


def test_a_training_that_fails_ends_with_its_own_code(living: Project) -> None:
    world(living, 0.9)
    living.edit("train.sh", "mkdir", "exit 7; mkdir")
    living.commit("break it", push=True)
    before = living.entries(), branches(living)
    living.run("retrain", code=7)
    assert (living.entries(), branches(living)) == before


def test_without_a_remote_the_branch_is_a_local_one(living: Project) -> None:
    world(living, 0.9)
    living.git("remote", "remove", "origin")
    living.git("fetch", "--quiet", str(living.remote), "+refs/heads/assent/*:refs/heads/assent/*")
    bundle = living.run("retrain", "--json").json["bundle"]
    text = living.git("show", f"{BRANCH}:assent.lock")
    assert bundle in text
    assert "as proposed already" in living.run("retrain").stdout


@pytest.mark.parametrize("text", ["format: x\nmodels: {}\n", "format: [\n", "models: {}\n"])
def test_a_lock_that_cannot_be_read_is_an_error_with_its_line(living: Project, text: str) -> None:
    living.write("assent.lock", text)
    for verb in ("train", "evaluate", "register"):
        assert "assent.lock" in living.run(verb, code=2).stderr


def test_inputs_that_were_rolled_back_are_said_to_be(living: Project) -> None:
    proposed(living)
    checkout(living, BRANCH)
    living.run("review", code=11)
    living.run("approve", "--as", GRACE)
    living.git("checkout", "--quiet", "main")
    living.git("merge", "--quiet", "--ff-only", "churn")
    living.git("push", "--quiet", "origin", "main")
    living.run("register")
    living.ship("v2")
    living.run("rollback", "production", "--reason", "complaints")
    world(living, 0.95)
    said = living.run("retrain").stdout
    assert "made from the inputs of v2, which was rolled back from production (complaints)" in said
