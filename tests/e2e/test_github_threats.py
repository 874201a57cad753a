"""What people try on GitHub, through the workflows or as a step of them. Each test names the row
of docs/threats.md that it is about.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assent.core.bundle import config_blob, manifest_blob
from assent.core.digest import canonical_json, digest_of
from tests.e2e.github import World, outputs, results
from tests.github.pulls import Pull

HOSTILE = "acc\nverdict=passed\n::error::forged\n##[error]forged"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world with v1 in staging. Each test has a pull request of its own there."""
    with World(tmp_path_factory.mktemp("world")) as world:
        pull = world.propose(0.8)
        world.review(pull)
        world.approve(pull, world.bob)
        assert outputs(world.merge(pull), "register")["version"] == "v1"
        started, payload = world.press("promote", {"stage": "staging"})
        assert world.play(started, payload).conclusion == "success"
        yield world


# --- who approved -------------------------------------------------------------------------------


@pytest.mark.threat(3)
def test_a_bundle_that_is_replaced_after_the_approval(world: World) -> None:
    pull = world.propose(0.88)
    started, _ = world.train(pull)
    shown = outputs(world.follow(started), "review")["bundle"]
    world.approve(pull, world.bob)

    started.rerun(pull.author)  # on the same commit
    world.play(started, world.events.pull_request(pull))
    judged = world.follow(started)
    replaced = outputs(judged, "review")["bundle"]
    assert replaced != shown
    [comment] = world.comments(pull)
    [row] = [line for line in comment.body.splitlines() if line.startswith("| `bob` ")]
    assert f"given for {shown[:19]}, the candidate is {replaced[:19]}" in row.replace("`", "")
    assert [state for _, state, _ in world.statuses(pull.head_sha)] == ["pending", "pending"]

    before = world.log()
    merged = world.merge(pull)
    assert outputs(merged, "register")["verdict"] == "pending"
    assert merged.conclusion == "failure"
    assert world.log() == before


@pytest.mark.threat(1)
@pytest.mark.threat(5)
@pytest.mark.threat(6)
def test_bots_authors_and_people_without_the_role(tmp_path: Path) -> None:
    with World(tmp_path, approvers='["*"]') as world:
        renovate = world.github.bot("renovate[bot]", role="write")
        pull = world.propose(0.8, fork=False)
        world.review(pull)
        for account in (renovate, world.github.actions_bot, world.sam, world.ada):
            review = world.approve(pull, account)
        judged = world.wake(review)
        assert outputs(judged, "approve")["verdict"] == "pending"
        assert world.log() == []
        [comment] = world.comments(pull)
        for login, why in {
            "renovate[bot]": "is none of `*`",
            "github-actions[bot]": "is none of `*`",
            "sam": "the author's approval does not count",
            "ada": "is none of `*`",
        }.items():
            [row] = [one for one in comment.body.splitlines() if one.startswith(f"| `{login}` ")]
            assert f"no <br> {why}" in row or f"no <br> made this change; {why}" in row

        # Bob's approval counts and is recorded; before the promotion he loses the role.
        world.approve(pull, world.bob)
        assert outputs(world.merge(pull), "register")["version"] == "v1"
        assert world.entries()[-1]["approvals"][0]["role"] == "*"
        world.github.repository.grant(world.bob, "none")
        started, payload = world.press("promote", {"stage": "staging"})
        refused = world.play(started, payload)
        assert outputs(refused, "promote")["verdict"] == "pending"
        assert refused.job("promote").step("assent").exit_code == 11
        assert world.log()[-1] == "register v1"
        assert world.deployments() == []
        world.github.repository.grant(world.bob, "write")
        started.rerun(world.sam)
        assert outputs(world.play(started, payload), "promote")["verdict"] == "passed"
        assert world.entries()[-1]["approvals"][0]["role"] == "*"


@pytest.mark.threat(49)
@pytest.mark.threat(42)
def test_an_approval_is_read_again_and_a_name_stays_whose_it_was(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        pull = world.propose(0.8)
        world.review(pull)
        review = world.approve(pull, world.bob)
        assert outputs(world.merge(pull), "register")["version"] == "v1"
        approved = next(one for one in world.entries() if one["kind"] == "approved")["approvals"]
        assert approved[0]["review"] == f"review:{review.id}"
        assert approved[0]["resolved"] == {"id": f"user:{world.bob.id}", "name": "bob"}

        # Before the promotion somebody dismisses what bob has said.
        review.dismiss()
        started, payload = world.press("promote", {"stage": "staging"})
        refused = world.play(started, payload)
        assert outputs(refused, "promote")["verdict"] == "pending"
        assert "`bob` no longer approves" in refused.log
        assert "the review was dismissed" in refused.log
        assert world.log()[-1] == "register v1"

        # Bob gets another name, and somebody else who may write takes his.
        world.bob.rename("robert")
        thief = world.github.user("bob", role="write")
        second = world.propose(0.85)
        world.review(second)
        world.approve(second, thief)
        judged = world.wake(world.approve(second, thief))
        assert outputs(judged, "approve")["verdict"] == "pending"
        [comment] = world.comments(second)
        assert f"was the account {world.bob.id} when it first counted" in comment.body
        world.approve(second, world.bob)
        assert outputs(world.merge(second), "register")["version"] == "v2"


# --- which rules were applied -------------------------------------------------------------------


@pytest.mark.threat(12)
def test_a_pull_request_that_changes_the_rules(world: World) -> None:
    lax = world.config.replace("count: 1, from: [bob, grace]", "count: 0, from: [ada]")
    pull = world.propose(0.1, files={"assent.yaml": lax.replace("min: 0.5", "min: 0.0")})
    judged = world.review(pull)
    assert outputs(judged, "review")["verdict"] == "blocked"
    [comment] = world.comments(pull)
    assert "`accuracy min 0.5`" in comment.body
    assert "`accuracy min 0.0`" not in comment.body
    assert "3 rules would change. This review applied the rules of the base branch." in comment.body
    assert "`approvals.count` is `0` instead of `1`" in comment.body
    assert "`approvals.from` no longer has `bob`, `grace` and now has `ada`" in comment.body
    assert "the gate on `metric accuracy`: `min` is `0` instead of `0.5`" in comment.body
    assert world.statuses(pull.head_sha)[-1][1] == "failure"


# --- where the code ran -------------------------------------------------------------------------


@pytest.mark.threat(16)
@pytest.mark.parametrize("event", ["pull_request", "pull_request_review"])
def test_what_a_pull_request_runs_decides_nothing(world: World, event: str) -> None:
    pull = world.propose(0.82)
    review = world.approve(pull, world.bob)
    payload = (
        world.events.pull_request(pull)
        if event == "pull_request"
        else world.events.pull_request_review(review)
    )
    started = world.github.start_run(event=event, actor=world.ada, pull=pull)
    folder = checkout(world, pull)
    before, writes = world.log(), len(world.server.writes)
    verbs: list[tuple[str, ...]] = [
        ("approve", "--bundle", "v1"),
        ("register", "--bundle", "v1"),
        ("promote", "production", "v1", "--override", "--reason", "x"),
        ("rollback", "staging", "--to", "v1", "--reason", "x"),
        ("clear", "staging", "--reason", "x"),
        ("retire", "v1", "--reason", "x"),
        ("note", "x"),
    ]
    for words in verbs:
        ran = world.job(started, payload, *words, folder=folder, code=10)
        assert "decisions are written by code of the default branch only" in ran.stderr, words
    assert world.log() == before
    assert len(world.server.writes) == writes


@pytest.mark.threat(19)
def test_a_dispatch_on_a_branch_of_somebody(world: World) -> None:
    text = world.git("show", "main:.github/workflows/assent-promote.yml")
    world.github.repository.commit(
        world.grace, branch="evil", files={".github/workflows/assent-promote.yml": text}
    )
    path = ".github/workflows/assent-promote.yml"
    branched = world.github.start_run(
        event="workflow_dispatch", actor=world.grace, branch="evil", path=path
    )
    payload = world.events.workflow_dispatch(
        world.grace, {"stage": "staging", "version": "v1"}, branch="evil", path=path
    )
    before, writes = world.log(), len(world.server.writes)
    refused = world.play(branched, payload)
    assert refused.job("promote").step("assent").exit_code == 10
    assert "it runs on 'refs/heads/evil', not on the branch 'main'" in refused.log
    assert world.log() == before
    assert len(world.server.writes) == writes


@pytest.fixture(scope="module")
def made(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of an honest run, unpacked."""
    started, _ = world.train(world.propose(0.83))
    folder = tmp_path_factory.mktemp("made")
    with zipfile.ZipFile(world.site.harness.artifacts(str(started.id))["assent-bundle"]) as opened:
        opened.extractall(folder)
    return folder


def blob(folder: Path, digest: str) -> Path:
    return folder / "blobs/sha256" / digest.removeprefix("sha256:")


def digest_in(folder: Path) -> str:
    return (folder / "churn/made/bundle").read_text().strip()


def put(folder: Path, content: bytes) -> str:
    digest = digest_of(content)
    blob(folder, digest).write_bytes(content)
    return digest


def name(folder: Path, digest: str) -> None:
    """Let the folder say that this is its bundle."""
    (folder / "churn/made/bundle").write_text(f"{digest}\n")


def with_manifest(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads(blob(folder, digest_in(folder)).read_bytes())
    change(manifest)
    name(folder, put(folder, canonical_json(manifest)))


def swap_bytes(folder: Path) -> None:
    manifest = json.loads(blob(folder, digest_in(folder)).read_bytes())
    weights = blob(folder, manifest["layers"][0]["digest"])
    weights.write_bytes(weights.read_bytes().swapcase())


def link_out(folder: Path) -> None:
    manifest = json.loads(blob(folder, digest_in(folder)).read_bytes())
    weights = blob(folder, manifest["layers"][0]["digest"])
    elsewhere = folder.parent / "elsewhere"
    shutil.move(weights, elsewhere)
    weights.symlink_to(elsewhere)


def climb(folder: Path) -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["layers"][0]["annotations"]["org.cncf.model.filepath"] = "../../../.bashrc"

    with_manifest(folder, change)


def show_other_tools_another_model(folder: Path) -> None:
    """Go takes the last of two keys, whatever case they are in; Assent took the first."""
    content = blob(folder, digest_in(folder)).read_bytes()
    layers = json.loads(content)["layers"]
    layers[0] |= {"digest": put(folder, b"evil"), "size": 4}
    name(folder, put(folder, content[:-1] + b',"LAYERS":' + canonical_json(layers) + b"}"))


def claim_exabytes(folder: Path) -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["layers"][0]["size"] = 10**18

    with_manifest(folder, change)


def grow(folder: Path) -> None:
    """A manifest of more than 64 MiB, which takes no space."""
    digest = "sha256:" + "f" * 64
    with blob(folder, digest).open("wb") as file:
        file.truncate(65 * 2**20)
    name(folder, digest)


def be_about_another_model(folder: Path) -> None:
    manifest = json.loads(blob(folder, digest_in(folder)).read_bytes())
    about = json.loads(blob(folder, manifest["layers"][-1]["digest"]).read_bytes())
    evidence = json.dumps({**about, "model": "fraud"}).encode()
    config = config_blob("churn", [])
    put(folder, config)
    put(folder, evidence)
    name(folder, put(folder, manifest_blob("churn", [], config, evidence)))


def hold_no_model(folder: Path) -> None:
    manifest = json.loads(blob(folder, digest_in(folder)).read_bytes())
    evidence = blob(folder, manifest["layers"][-1]["digest"]).read_bytes()
    config = config_blob("churn", [])
    put(folder, config)
    name(folder, put(folder, manifest_blob("churn", [], config, evidence)))


def be_another_model(folder: Path) -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["annotations"]["dev.assent.model.name"] = "fraud"

    with_manifest(folder, change)


def name_no_digest(folder: Path) -> None:
    name(folder, "../../../../etc/passwd")


@pytest.mark.threat(17)
@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("spoil", "said", "code"),
    [
        (swap_bytes, "", 4),
        (link_out, "neither a file nor a folder", 4),
        (climb, "leaves the model's folder", 4),
        (claim_exabytes, "", 4),
        (grow, "larger than 64 MiB", 4),
        (show_other_tools_another_model, "other tools may read another model in it", 4),
        (be_about_another_model, "it is about 'fraud', not 'churn'", 4),
        (hold_no_model, "it holds no file of a model", 4),
        (be_another_model, "it is not written as bundles are", 4),
        (name_no_digest, "holds no bundle of this model", 2),
    ],
)
def test_what_a_fork_may_hand_over(
    world: World,
    made: Path,
    tmp_path: Path,
    spoil: Callable[[Path], None],
    said: str,
    code: int,
) -> None:
    folder = tmp_path / "made"
    shutil.copytree(made, folder)
    spoil(folder)
    before = stored(world)
    ran = world.run(laptop(world), "bundle", "--from", str(folder), code=code)
    assert said in ran.stderr
    assert stored(world) == before


@pytest.mark.threat(17)
def test_a_spoilt_artifact_stops_the_trusted_run(world: World) -> None:
    pull = world.propose(0.84)
    started, _ = world.train(pull)
    archive = world.site.harness.artifacts(str(started.id))["assent-bundle"]
    with zipfile.ZipFile(archive) as opened:
        files = {one.filename: opened.read(one) for one in opened.infolist()}
    with zipfile.ZipFile(archive, "w") as spoilt:
        for path, content in files.items():
            spoilt.writestr(path, content.replace(b"0.84", b"0.99"))
    before, writes = stored(world), len(world.server.writes)
    judged = world.follow(started)
    assert results(judged)["review"] == "failure"
    assert judged.job("review").step("review").outcome == "failure"
    assert stored(world) == before
    assert len(world.server.writes) == writes
    assert world.comments(pull) == []


@pytest.mark.threat(18)
def test_the_bundle_of_another_pull_request(world: World) -> None:
    good, bad = world.propose(0.85), world.propose(0.05, fork=False)
    trained, _ = world.train(good)
    assert world.follow(trained).conclusion == "success"
    started, _ = world.train(bad)
    artifacts = world.site.harness.artifacts
    shutil.copyfile(
        artifacts(str(trained.id))["assent-bundle"], artifacts(str(started.id))["assent-bundle"]
    )
    [comment] = world.comments(good)
    body, writes = comment.body, len(world.server.writes)
    judged = world.follow(started)
    assert results(judged)["review"] == "failure"
    said = f"its evidence names attempt 1 of run {trained.id}, it comes from attempt 1 of run "
    assert f"{said}{started.id}" in judged.log
    assert comment.body == body
    assert world.comments(bad) == []
    assert len(world.server.writes) == writes


@pytest.mark.threat(18)
def test_a_run_of_no_open_pull_request(world: World) -> None:
    """It is over when a merge was faster than the run that a review woke up: no failure then."""
    pull = world.propose(0.86)
    started = world.github.start_run(event="pull_request_review", actor=world.bob, pull=pull)
    started.complete()
    pull.close()
    trusted = world.github.start_run(
        event="workflow_run", actor=world.bob, path=".github/workflows/assent-review.yml"
    )
    payload = world.events.workflow_run(started)
    before, writes = world.log(), len(world.server.writes)
    for verb in ("approve", "review"):
        words, folder = (verb, "--bundle", pull.head_sha), laptop(world)
        ran = world.job(trusted, payload, *words, "--exit-zero", folder=folder)
        assert "nothing to judge" in ran.stderr
        assert f"no open pull request has the head {pull.head_sha[:12]}" in ran.stderr
        world.job(trusted, payload, *words, folder=folder, code=3)
    assert world.log() == before
    assert len(world.server.writes) == writes


@pytest.mark.threat(23)
def test_a_token_goes_to_github_alone(world: World) -> None:
    started, payload = world.press("promote", {"stage": "staging"})
    folder = laptop(world)
    asked = len(world.server.requests)
    for address, said in {
        "https://api.example.com": "its host 'api.example.com' is not that of",
        "http://api.github.com": "is not https",
    }.items():
        where = {"GITHUB_API_URL": address}
        ran = world.job(started, payload, "promote", "staging", folder=folder, code=2, **where)
        assert said in ran.stderr
    assert len(world.server.requests) == asked
    world.server.faults.redirect("GET", "/repos/acme/churn", world.server.elsewhere + "/x")
    world.job(started, payload, "promote", "staging", folder=folder, code=3)
    assert world.server.faults.is_done
    assert world.server.leaks == []


# --- what was written ---------------------------------------------------------------------------


@pytest.mark.threat(32)
@pytest.mark.threat(35)
def test_one_of_each_although_github_says_502(world: World) -> None:
    faults = world.server.faults
    pull = world.propose(0.86)
    for number in range(150):
        pull.comment(world.grace, f"<!-- assent:model=churn -->\n{number}")
    started, _ = world.train(pull)
    faults.fail_after("POST", "*/comments", 502)
    faults.fail_after("POST", "*/statuses/*", 502)
    judged = world.follow(started)
    assert judged.conclusion == "success"
    assert faults.is_done
    [comment] = world.comments(pull)
    assert len(pull.comments) == 151
    assert len(world.statuses(pull.head_sha)) == 1

    review = world.approve(pull, world.bob)
    assert "waits for 1 approval" in comment.body
    world.wake(review)
    assert world.comments(pull) == [comment]
    assert "## ✅" in comment.body
    assert len(world.statuses(pull.head_sha)) == 2

    merged = world.merge(pull)
    version = outputs(merged, "register")["version"]
    shown = len(world.deployments())
    faults.fail_after("POST", "*/deployments", 502)
    faults.fail_after("POST", "*/deployments/*/statuses", 502)
    pressed, payload = world.press("promote", {"stage": "staging", "version": version})
    promoted = world.play(pressed, payload)
    assert promoted.conclusion == "success"
    assert faults.is_done
    assert world.deployments()[shown:] == [("staging", int(version[1:]), "success")]
    assert len(world.github.repository.deployments[-1].statuses) == 1
    assert world.log()[-1] == f"promote {version} to staging"


# --- what is shown ------------------------------------------------------------------------------


@pytest.mark.threat(37)
def test_names_that_want_to_be_outputs_and_commands(world: World) -> None:
    metrics = json.dumps({"accuracy": 0.87, HOSTILE: 1.0})
    script = f"import pathlib\npathlib.Path('metrics.json').write_text({metrics!r})\n"
    pull = world.propose(0.87, files={"evaluate.py": script})
    pull.title = HOSTILE
    judged = world.review(pull)
    assert judged.conclusion == "success"
    assert set(outputs(judged, "review")) == {"verdict", "bundle", "report-path", "comment"}
    assert outputs(judged, "review")["verdict"] == "pending"
    levels = {(one.level, one.message) for job in judged.jobs for one in job.annotations}
    assert not [level for level, message in levels if level == "error" or "forged" in message]
    [comment] = world.comments(pull)
    assert "\n::error::" not in comment.body


# --- shared -------------------------------------------------------------------------------------


def stored(world: World) -> set[str]:
    return {str(path) for path in world.store.rglob("*") if path.is_file()}


def laptop(world: World) -> Path:
    folder = world.root / "laptop"
    return folder if folder.exists() else world.clone("laptop")


def checkout(world: World, pull: Pull) -> Path:
    folder = world.root / f"pull-{pull.number}"
    if not folder.exists():
        world.clone(folder.name)
        world.git_in(folder, "fetch", "--quiet", "origin", f"refs/pull/{pull.number}/head")
        world.git_in(folder, "checkout", "--quiet", "FETCH_HEAD")
    return folder
