"""Rows of the threat table, tried by hand on the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from assent.core.digest import short
from tests.e2e.project import (
    CONFIG,
    FILES,
    GRACE,
    ROSA,
    Project,
    copy_project,
    ended,
    new_project,
)
from tests.waiting import HANGS_AFTER_S

SECRET = "hunter2-hunter2"
TOKEN = "ghp_" + "a1B2" * 9


# --- who approved -------------------------------------------------------------------------------


@pytest.mark.threat(1)
@pytest.mark.parametrize("role", ["author", "co-author", "committer", "trainer"])
def test_who_made_it_does_not_approve_it(shipped: Project, role: str) -> None:
    """Under whatever spelling of the name: the address says who it is."""
    shipped.branch("better")
    shipped.write("params.yaml", "accuracy: 0.9\n")
    shipped.git("add", "--all")
    message = ["--message", "better"]
    if role == "author":
        message += ["--author", "G. Hopper <Grace@Example.com>"]
    if role == "co-author":
        message += ["--trailer", "Co-authored-by: Grace H <grace@example.com>"]
    if role == "committer":
        shipped.identify("Grace Hopper", "grace@example.com")
        message += ["--author", "Ada <ada@example.com>"]
    shipped.git("commit", "--quiet", *message)
    shipped.identify("Ada", "ada@example.com")
    if role == "trainer":
        shipped.identify("Grace", "grace@example.com")
    shipped.run("review", code=11)
    shipped.identify("Rosa", "rosa@example.com")
    before = shipped.entries()
    refused = shipped.run("approve", "--as", GRACE, code=10)
    assert "grace: approved, does not count: made this change" in refused.stdout.lower()
    assert shipped.entries() == before
    shipped.merge("better")
    shipped.run("register", code=11)


@pytest.mark.threat(1)
def test_the_policy_can_let_authors_approve(fresh: Project) -> None:
    fresh.edit("assent.yaml", '["@reviewers"]}', '["@reviewers"], author: true}')
    fresh.commit("small team", push=True)
    fresh.run("review", code=11)
    fresh.run("approve", "--as", "ada")
    fresh.run("register")


@pytest.mark.threat(3)
def test_other_bytes_on_the_same_commit_need_another_approval(fresh: Project) -> None:
    """A second run with another seed, after the approval."""
    fresh.write("train.sh", "mkdir -p model; date +%s%N >model/weights.txt\n")
    fresh.commit("not reproducible", push=True)
    fresh.run("review", code=11)
    fresh.run("approve", "--as", GRACE)
    fresh.run("train", "--force")
    fresh.run("evaluate", "--force")
    fresh.run("bundle")
    refused = fresh.run("register", code=11)
    assert "was not registered" in refused.stdout
    assert "does not count: given for sha256:" in fresh.run("explain", code=11).stdout
    fresh.run("verify")


@pytest.mark.threat(4)
def test_the_latest_opinion_counts(reviewed: Project) -> None:
    reviewed.run("approve", "--as", GRACE)
    reviewed.run("approve", "--as", GRACE, "--reject", "--reason", "look again", code=10)
    refused = reviewed.run("register", code=10)
    assert "changes requested by `grace`" in refused.stdout
    reviewed.run("approve", "--as", GRACE)
    reviewed.run("register")
    kinds = [entry.split()[0] for entry in reviewed.entries()]
    assert kinds == ["register", "approve", "reject", "approve"]
    assert "because: look again" in reviewed.run("timeline").stdout


@pytest.mark.threat(6)
def test_an_approver_who_lost_the_role_before_the_promotion(registered: Project) -> None:
    registered.run("promote", "staging")
    registered.run("approve", "--bundle", "v1", "--as", ROSA)
    registered.edit("assent.yaml", "groups: [release]", "groups: [reviewers]")
    registered.commit("rosa moves on", push=True)
    refused = registered.run("promote", "production", code=11)
    assert "0 of 1 given" in refused.stdout
    why = registered.run("explain", "--bundle", "v1", "--stage", "production", code=11)
    assert "rosa: approved, does not count: is none of @release" in why.stdout
    # Both results are on the record: the role at the approval, and none at the promotion.
    moments = registered.run("timeline", "--json").json["moments"]
    assert moments[0]["entry"]["approvals"][0]["role"] == "@release"


@pytest.mark.threat(6)
def test_a_branch_cannot_give_the_role_back(registered: Project) -> None:
    registered.run("promote", "staging")
    registered.branch("mine")
    registered.edit("assent.yaml", "groups: [reviewers]}\n  grace", "groups: [release]}\n  grace")
    registered.commit("ada releases")
    refused = registered.run("approve", "--bundle", "v1", "--as", "ada", code=10)
    assert "for production: 0 of 1" in refused.stdout
    registered.run("promote", "production", code=11)


@pytest.mark.threat(8)
def test_a_recycled_name_is_another_person(reviewed: Project) -> None:
    """Whoever calls themselves grace now is known by the address."""
    reviewed.identify("grace", "mallory@example.com")
    reviewed.git("commit", "--quiet", "--allow-empty", "--message", "hello")
    ambiguous = reviewed.run("approve", "--as", "Grace", code=2)
    assert "grace@example.com or mallory@example.com" in ambiguous.stderr
    assert "hint: give the e-mail address" in ambiguous.stderr
    reviewed.run("approve", "--as", "mallory@example.com", code=10)


@pytest.mark.threat(9)
def test_somebody_who_is_not_listed_any_more(approved: Project) -> None:
    approved.edit("assent.yaml", "  grace: {email: grace@example.com, groups: [reviewers]}\n", "")
    approved.commit("grace leaves", push=True)
    refused = approved.run("register", code=11)
    assert "approved by nobody" in refused.stdout


# --- which rules were applied -------------------------------------------------------------------


@pytest.mark.threat(12)
@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("min: 0.5, max_drop: 0.05", "min: 0.1", "the gate on `metric accuracy`: "),
        (
            '{count: 1, from: ["@reviewers"]}',
            "{count: 0}",
            "`approvals.count` is `0` instead of `1`",
        ),
        (
            "people:\n",
            "people:\n  mallory: {email: m@example.com, groups: [reviewers]}\n",
            "`people.mallory` is set to ",
        ),
        (
            "production: {after: staging, ",
            "production: {",
            "`stages.production.after` is not set any more",
        ),
    ],
    ids=["gates", "approvals", "people", "stages"],
)
def test_a_change_is_judged_by_the_rules_of_the_base_branch(
    shipped: Project, old: str, new: str, shown: str
) -> None:
    shipped.branch("worse")
    shipped.write("params.yaml", "accuracy: 0.4\n")
    shipped.edit("assent.yaml", old, new)
    shipped.commit("relax")
    review = shipped.run("review", code=10)
    assert "accuracy min 0.5" in review.stdout
    assert "accuracy max_drop 0.05" in review.stdout
    assert "approvals: 1 of @reviewers" in review.stdout
    assert f"note: {shown}" in review.stdout
    assert "This change alters the rules" in shipped.comment()
    shipped.run("approve", "--as", "ada", code=10)
    shipped.run("register", code=10)


@pytest.mark.threat(12)
def test_a_change_does_not_choose_what_is_shown_of_it(shipped: Project) -> None:
    shipped.branch("quieter")
    hidden = "  churn:\n    comment: {sections: [plots], quiet: unchanged}\n    notify: true\n"
    shipped.edit("assent.yaml", "  churn:\n", hidden)
    shipped.write("params.yaml", "accuracy: 0.9\n")
    shipped.commit("hide it")
    shipped.run("review", code=11)
    comment = shipped.comment()
    assert "<b>Metrics:</b>" in comment
    assert "@reviewers`" in comment  # nobody is called yet
    assert "`comment.quiet` is set to `unchanged`" in comment
    assert "`notify` is `true` instead of `false`" in comment


def test_the_base_branch_says_what_a_comment_shows(shipped: Project) -> None:
    chosen = "  churn:\n    comment: {sections: [data]}\n    notify: true\n"
    shipped.edit("assent.yaml", "  churn:\n", chosen)
    shipped.commit("less", push=True)
    shipped.branch("next", accuracy="0.9")
    shipped.run("review", code=11)
    comment = shipped.comment()
    assert "Data:" in comment
    assert "<b>Metrics:</b>" not in comment
    assert "### Gates" in comment
    assert "needed from @reviewers." in comment


@pytest.mark.threat(12)
def test_a_review_names_what_guards_the_base_branch_and_how_the_model_is_made(
    shipped: Project,
) -> None:
    shipped.branch("worse")
    shipped.write(".github/workflows/assent.yml", "on: push\n")
    shipped.write("CODEOWNERS", "* @mallory\n")
    shipped.edit("assent.yaml", "inputs: [train.sh, ", "inputs: [")
    shipped.commit("let me in")
    said = shipped.run("review").stdout
    assert "note: .github/workflows differs from that of main" in said
    assert "note: CODEOWNERS differs from that of main" in said
    assert "note: `inputs` no longer has `train.sh`" in said


@pytest.mark.threat(12)
def test_a_change_that_names_another_store_finds_no_baseline(
    shipped: Project,
) -> None:
    shipped.branch("mine", accuracy="0.9")
    shipped.edit("assent.yaml", "store: ../store", "store: ../mine")
    shipped.commit("another store")
    refused = shipped.run("review", code=4)
    assert "hint: is `store` in assent.yaml the right one?" in refused.stderr


@pytest.mark.threat(14)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        ("", "metrics.json"),
        ("{}", "metrics.json"),
        ('{"accuracy": NaN}', "not a number"),
        ('{"accuracy": "0.9"}', "not a number"),
        ('{"accuracy": null}', "not a number"),
        ('{"accuracy": true}', "not a number"),
        ('{"accuracy": [0.9]}', "no metric of this name"),
        ('{"acuracy": 0.9}', "no metric of this name"),
        ('{"accuracy": 0.9, "accuracy": 0.1}', "twice"),
        ("{'accuracy': 0.9}", "metrics.json"),
        ("\0\1\2", "metrics.json"),
    ],
)
def test_a_gate_that_cannot_run_blocks(fresh: Project, content: str | None, said: str) -> None:
    if content is not None:
        fresh.write("given", content)
    fresh.write("evaluate.sh", "rm -f metrics.json; test ! -f given || cp given metrics.json\n")
    blocked = fresh.run("review", code=10)
    assert "BLOCKED" in blocked.stdout
    assert said in blocked.stdout
    junit = (fresh.folder / ".assent/review/churn/junit.xml").read_text()
    assert "<failure" in junit


@pytest.mark.threat(14)
def test_a_baseline_that_cannot_be_read_blocks(second: Project) -> None:
    held = second.run("resolve", "production", "--json").json["bundle"]
    second.blob(held).write_bytes(b"{}")
    second.branch("third", accuracy="0.85")
    assert held in second.run("review", code=4).stderr
    second.run("approve", "--as", GRACE, code=4)
    second.merge("third")
    second.run("register", code=4)


@pytest.mark.threat(15)
def test_the_first_model_says_that_there_is_no_baseline(fresh: Project) -> None:
    """Also on the base branch, where the newest bundle is the candidate itself."""
    for _ in range(2):
        review = fresh.run("review", code=11)
        assert "against nothing (no baseline)" in review.stdout
        assert "- n/a      accuracy max_drop 0.05" in review.stdout
        assert "✓ passed   accuracy min 0.5" in review.stdout
    assert "no baseline" in fresh.comment()


@pytest.mark.threat(15)
def test_the_policy_can_insist_on_a_baseline(fresh: Project) -> None:
    fresh.edit("assent.yaml", "    gates:", "    without_baseline: block\n    gates:")
    fresh.commit("strict", push=True)
    for _ in range(2):
        blocked = fresh.run("review", code=10)
        assert "without_baseline: block" in blocked.stdout
    fresh.run("approve", "--as", GRACE)
    fresh.run("register", code=10)


@pytest.mark.threat(15)
def test_the_first_model_must_pass_the_absolute_gates(fresh: Project) -> None:
    fresh.write("params.yaml", "accuracy: 0.3\n")
    fresh.commit("bad", push=True)
    assert "below the bound" in fresh.run("review", code=10).stdout


# --- whose bundle it is -------------------------------------------------------------------------


@pytest.mark.threat(18)
def test_a_bundle_of_other_inputs_is_not_registered(shipped: Project) -> None:
    shipped.branch("worse", accuracy="0.9")
    other = shipped.run("review", "--json", code=11).json["report"]["diff"]["candidate"]["bundle"]
    shipped.run("approve", "--as", GRACE)
    shipped.git("checkout", "--quiet", "main")
    refused = shipped.run("register", "--bundle", other, code=10)
    assert "was made from other inputs" in refused.stderr
    assert "hint: " in refused.stderr
    # Nor if the store's hint is bent towards it.
    for hint in (shipped.store / "churn").rglob("*"):
        if hint.is_file() and "inputs" in hint.parts:
            hint.write_text(f"{other}\n")
    before = shipped.entries()
    assert f"{other[:19]} was not registered" in shipped.run("register").stdout
    assert shipped.entries() == before


@pytest.mark.threat(18)
def test_a_bundle_of_another_model_is_refused(tmp_path: Path) -> None:
    head, _, people = CONFIG.partition("people:")
    again = head.partition("models:\n")[2].replace("  churn:", "  upsell:", 1)
    project = new_project(
        tmp_path / "place", {**FILES, "assent.yaml": f"{head}{again}people:{people}"}
    )
    report = project.run("review", "churn", "--json", code=11).json
    bundle = report["report"]["diff"]["candidate"]["bundle"]
    every: tuple[tuple[str, ...], ...]
    every = (("review",), ("approve", "--as", GRACE), ("register",), ("explain",))
    for words in every:
        ran = project.run(*words[:1], "upsell", "--bundle", bundle, *words[1:], code=4)
        assert "it is of 'churn', not of 'upsell'" in ran.stderr


@pytest.mark.threat(22)
def test_an_old_promotion_that_is_run_again(second: Project) -> None:
    first = {"ASSENT_RUN_ID": "100"}
    second.run("promote", "shadow", "v1", env=first)
    assert "already" in second.run("promote", "shadow", "v1", env=first).stdout
    second.run("promote", "shadow", "v2", env={"ASSENT_RUN_ID": "101"})
    again = {**first, "ASSENT_RUN_ATTEMPT": "2"}
    refused = second.run("promote", "shadow", "v1", env=again, code=10)
    assert "assent rollback shadow --to v1" in refused.stdout
    second.run("clear", "shadow", "--reason", "x")
    refused = second.run("promote", "shadow", "v1", env=again, code=10)
    assert "run 100 promoted v1 before" in refused.stdout
    second.run("promote", "shadow", "v2", env={"ASSENT_RUN_ID": "102"})


# --- what was written ---------------------------------------------------------------------------


@pytest.mark.threat(24)
def test_two_registrations_at_once(approved: Project) -> None:
    clones = [approved, approved.clone("other")]
    processes = [clone.start("register", "--json") for clone in clones]
    said = [ended(process, "register", code=0).json for process in processes]
    assert [result["version"] for result in said] == [1, 1]
    assert sum(len(result["entries"]) for result in said) == 1
    assert len(approved.entries()) == 2
    approved.run("verify")


@pytest.mark.threat(24)
def test_many_writers_at_once(second: Project) -> None:
    """Promotions of two versions to one stage and notes, from two clones."""
    other = second.clone("other")
    before = len(second.entries())
    words: list[tuple[str, ...]] = [("promote", "shadow", "v1"), ("promote", "shadow", "v2")]
    words += [("note", f"event {number}") for number in range(4)]
    started = [(clone, one, clone.start(*one)) for one in words for clone in (second, other)]
    for _, one, process in started:
        stdout, stderr = process.communicate(timeout=HANGS_AFTER_S)
        assert b"Traceback" not in stderr
        # Who comes with v1 after v2 is refused.
        allowed = (0, 10) if one[-1] == "v1" else (0,)
        assert process.returncode in allowed, (one, stdout, stderr)
    sentences = second.entries()
    assert second.run("resolve", "shadow", "--json").json["version"] == 2
    assert sentences.count("promote v2 to shadow") == 1
    assert sentences.count("promote v1 to shadow") <= 1
    assert len([entry for entry in sentences if entry.startswith("note")]) == 8
    assert len(sentences) - before in (9, 10)
    second.run("verify")


@pytest.mark.threat(26)
def test_a_ledger_that_was_rolled_back(shipped: Project) -> None:
    shipped.run("status")
    shipped.git("-C", str(shipped.remote), "update-ref", "refs/heads/assent/churn",
                "assent/churn~1")  # fmt: skip
    for words in (("promote", "shadow"), ("register",), ("note", "x")):
        assert "rolled back" in shipped.run(*words, code=4).stderr
    verified = shipped.run("verify", code=4)
    assert "BROKEN: churn: chain: entry 4: " in verified.stdout
    assert "cannot be read" in shipped.run("status", code=4).stdout


@pytest.mark.threat(26)
@pytest.mark.threat(31)
def test_a_ledger_that_is_gone_is_not_begun_again(shipped: Project) -> None:
    """Neither by the clone that has seen it nor by one that has not."""
    shipped.run("status")
    shipped.git("push", "--quiet", "origin", ":assent/churn")
    assert "has disappeared" in shipped.run("promote", "shadow", code=4).stderr
    clone = shipped.clone("fresh")
    writing: tuple[tuple[str, ...], ...]
    writing = (("approve", "--as", GRACE), ("register",), ("note", "x"))
    for words in writing:
        refused = clone.run(*words, code=4)
        assert "churn/head in the store was derived from entry 4" in refused.stderr
        assert "but the ledger has no entry" in refused.stderr
    assert "cannot be read" in clone.run("status", code=4).stdout
    clone.run("verify", code=4)
    assert clone.entries() == []


@pytest.mark.threat(45)
@pytest.mark.threat(46)
def test_lost_entries_are_brought_back_or_given_up_by_a_person(shipped: Project) -> None:
    """A server restored from yesterday's copy: yesterday production was empty."""
    lost = shipped.git("-C", str(shipped.remote), "rev-parse", "assent/churn")
    shipped.git("-C", str(shipped.remote), "update-ref", "refs/heads/assent/churn",
                "assent/churn~1")  # fmt: skip
    clone = shipped.clone("fresh")
    refused = clone.run("promote", "staging", "v1", code=4)
    assert "churn/head in the store was derived from entry 4" in refused.stderr
    verified = clone.run("verify", "--repair", code=4).stdout
    assert "repaired" not in verified
    assert "hint: push the entries again from a clone that has them" in verified
    assert "say why" in clone.run("verify", "--recover", code=2).stderr
    said = ("verify", "--recover", "--reason", "restored from a backup")
    for job in ({"ASSENT_RUN_ID": "7"}, {"CI": "true"}, {"JENKINS_URL": "https://ci.example"}):
        assert clone.run(*said, env=job, code=10).stdout == ""
    shipped.git("fetch", "--quiet", "origin", f"{lost}:refs/remotes/origin/assent/churn")
    assert f"git push --force <remote> {lost}:" in shipped.run(*said, code=10).stderr
    given_up = clone.run(*said).stdout
    assert "given up: churn/stages/production: knew entry 4" in given_up
    assert "restored: churn/stages/production" in given_up
    assert "verified" in clone.run("verify").stdout
    assert "restored from a backup" in clone.run("timeline").stdout
    clone.run("promote", "production", "v1")
    assert "nothing is missing" in clone.run(*said, code=2).stderr


@pytest.mark.threat(27)
@pytest.mark.parametrize("how", ["altered", "truncated", "swapped", "removed"])
def test_a_blob_that_is_not_what_it_was(shipped: Project, how: str) -> None:
    pulled = shipped.run("pull", "v1", "--to", "before")
    assert "2 files" in pulled.stdout
    weights = shipped.folder / "before/weights.txt"
    found = [
        path
        for path in (shipped.store / "blobs/sha256").iterdir()
        if path.read_bytes() == weights.read_bytes()
    ]
    [blob] = found
    content = blob.read_bytes()
    if how == "removed":
        blob.unlink()
    else:
        small = (shipped.folder / "before/format").read_bytes()
        blob.write_bytes(
            {"altered": content[:-1] + b"!", "truncated": content[:-1], "swapped": small}[how]
        )
    state = "missing" if how == "removed" else "corrupt"
    refused: tuple[tuple[str, ...], ...] = (
        ("promote", "shadow"),
        ("rollback", "production", "--to", "v1", "--reason", "x"),
    )
    for words in refused:
        ran = shipped.run(*words, code=4)
        assert "weights.txt of bundle sha256:" in ran.stderr
        assert state in ran.stderr
        assert "hint: `assent bundle --force` where it was trained" in ran.stderr
    assert blob.name in shipped.run("pull", "v1", "--to", "after", code=4).stderr
    assert not (shipped.folder / "after").exists()
    broken = shipped.run("verify", code=4)
    assert f"BROKEN: churn: blobs: sha256:{blob.name} of v1 is {state}" in broken.stdout
    # As the messages say: take it away, and store what was trained again.
    shipped.run("verify", "--repair", code=4)
    shipped.run("train")
    shipped.run("evaluate")
    shipped.run("bundle")
    shipped.run("verify")
    shipped.run("promote", "shadow")


@pytest.mark.threat(27)
@pytest.mark.parametrize("what", ["weights", "evidence", "manifest"])
def test_a_blob_of_a_candidate_is_damaged_and_has_its_size(approved: Project, what: str) -> None:
    bundle = approved.run("bundle", "--json").json["bundle"]
    manifest = json.loads(approved.blob(bundle).read_bytes())
    weights, *_, evidence = (one["digest"] for one in manifest["layers"])
    place = approved.blob({"weights": weights, "evidence": evidence, "manifest": bundle}[what])
    content = place.read_bytes()
    place.write_bytes(bytes(len(content)))
    refused = approved.run("register", code=4)
    assert "hint: `assent bundle --force` where it was trained" in refused.stderr
    broken = approved.run("verify", code=4).stdout
    named = f"sha256:{place.name} of the candidate {short(bundle)} is corrupt"
    assert f"BROKEN: churn: blobs: {named}" in broken
    assert "hint: `assent bundle --force` where it was trained" in broken
    approved.run("bundle")
    assert place.read_bytes() == content
    approved.run("verify")
    assert "as v1" in approved.run("register").stdout


@pytest.mark.threat(27)
def test_a_damaged_candidate_is_taken_away(approved: Project) -> None:
    bundle = approved.run("bundle", "--json").json["bundle"]
    weights = json.loads(approved.blob(bundle).read_bytes())["layers"][0]["digest"]
    approved.blob(weights).write_bytes(b"?")
    repaired = approved.run("verify", "--repair").stdout
    assert f"repaired: churn: blobs: {weights} of the candidate {short(bundle)}" in repaired
    left = approved.run("verify")
    assert f"incomplete: churn: the candidate {short(bundle)} lacks 1 of " in left.stdout
    assert "is missing in the store" in approved.run("register", code=4).stderr
    approved.run("bundle")
    assert "incomplete" not in approved.run("verify").stdout
    approved.run("register")


@pytest.mark.threat(27)
def test_a_pointer_that_was_moved_by_hand(second: Project) -> None:
    production = second.store / "churn/stages/production"
    right = production.read_bytes()
    shutil.copyfile(second.store / "churn/versions/2", production)
    (second.store / "churn/versions/1").unlink()
    shutil.copyfile(second.store / "churn/versions/2", second.store / "churn/stages/canary")
    # The ledger decides, whatever the pointer says, and who writes says so.
    said = second.run("note", "an event").stderr
    assert "churn/stages/production in the store does not say v1, which the ledger says" in said
    assert second.run("resolve", "production", "--json").json["version"] == 1
    assert "pulled v1" in second.run("pull", "production", "--to", "served").stdout
    broken = second.run("verify", code=4)
    assert "churn/stages/production points elsewhere; the ledger says v1" in broken.stdout
    assert "churn/versions/1 is missing" in broken.stdout
    assert "churn/stages/canary is not in the ledger" in broken.stdout
    repaired = second.run("verify", "--repair")
    assert repaired.stdout.count("repaired: ") == 3
    assert production.read_bytes() == right
    assert "verified" in second.run("verify").stdout


@pytest.mark.threat(28)
def test_the_same_bytes_get_one_version(shipped: Project) -> None:
    before = shipped.entries()
    again = shipped.run("register")
    assert "is v1 already" in again.stdout
    shipped.write("README.md", "docs")
    shipped.commit("docs", push=True)
    assert "is v1 already" in shipped.run("register").stdout
    assert shipped.entries() == before


@pytest.mark.threat(28)
def test_one_commit_can_give_several_versions(fresh: Project) -> None:
    fresh.write("train.sh", "mkdir -p model; date +%s%N >model/weights.txt\n")
    fresh.commit("not reproducible", push=True)
    fresh.register()
    fresh.run("train", "--force")
    fresh.run("evaluate", "--force")
    fresh.run("bundle")
    fresh.run("approve", "--as", GRACE)
    assert "as v2" in fresh.run("register").stdout


@pytest.mark.threat(29)
def test_clearing_and_retiring_revive_nothing(second: Project) -> None:
    second.run("promote", "staging", "v2")
    second.run("clear", "staging", "--reason", "broken")
    assert "the stage holds nothing" in second.run("resolve", "staging", code=2).stderr
    pointer = json.loads((second.store / "churn/stages/staging").read_bytes())
    assert "version" not in pointer
    second.run("retire", "v1", "--reason", "leak", code=10)
    second.run("clear", "production", "--reason", "leak")
    second.run("retire", "v1", "--reason", "leak")
    assert (
        "v1 is retired"
        in second.run("rollback", "production", "--to", "v1", "--reason", "x", code=10).stdout
    )
    assert "retired already" in second.run("retire", "v1", "--reason", "leak").stdout
    second.run("verify")


# --- what is shown ------------------------------------------------------------------------------


@pytest.mark.threat(34)
@pytest.mark.threat(35)
def test_the_comment_begins_with_our_marker_and_stays_as_it_is(fresh: Project) -> None:
    fresh.run("review", code=11)
    place = fresh.folder / ".assent/review/churn/comment.md"
    assert place.read_text().startswith("<!-- assent:model=churn -->\n")
    before = place.stat().st_mtime_ns
    time.sleep(1.1)  # the next second: the time of the review is no reason to write it again
    fresh.run("review", code=11)
    assert place.stat().st_mtime_ns == before
    fresh.run("approve", "--as", GRACE)
    fresh.run("review")
    assert place.stat().st_mtime_ns > before


@pytest.mark.threat(33)
def test_text_from_outside_is_inert_in_the_terminal(fresh: Project) -> None:
    escape = "\x1b]0;owned\x07\x1b[2J"
    fresh.edit("assent.yaml", "train: sh train.sh", r'train: "sh train.sh # \e[2Jcleared"')
    fresh.write("evaluate.sh", 'printf \'{"accuracy": 0.8, "\\\\u001b[2Jx": 1}\' >metrics.json\n')
    fresh.identify(f"Ada {escape}", "ada@example.com")
    fresh.commit("hostile", push=True)
    fresh.run("train")
    shown = [fresh.run("evaluate"), fresh.run("bundle"), fresh.run("review", code=11)]
    shown += [fresh.run("note", f"seen {escape}\u202eesrever"), fresh.run("timeline")]
    shown += [fresh.run("status"), fresh.run("train", "--force")]
    for ran in shown:
        for nasty in ("\x1b", "\x07", "\u202e"):
            assert nasty not in ran.stdout + ran.stderr, str(ran)


@pytest.mark.threat(38)
def test_secrets_are_kept_nowhere(fresh: Project) -> None:
    params = f"accuracy: 0.8\napi_token: {SECRET}\nnested: {{password: {SECRET}}}\n"
    fresh.write("params.yaml", params)
    fresh.write(".env", f"TOKEN={TOKEN}\nDB_PASSWORD={SECRET}\n")
    fresh.edit("assent.yaml", "params: [params.yaml]", "params: [params.yaml, .env]")
    fresh.edit("assent.yaml", "train: sh train.sh", f"train: API_KEY={TOKEN} sh train.sh")
    address = f"https://ada:{SECRET}@data.example.com/x?X-Amz-Signature={SECRET}"
    fresh.edit("assent.yaml", "test: data/test.csv", f'test: {{path: "{address}", snapshot: "7"}}')
    fresh.write(
        "evaluate.sh",
        f'printf \'{{"accuracy": 0.8, "note": "{TOKEN}"}}\' >metrics.json\n',
    )
    # What the model itself holds is the team's affair.
    fresh.write("train.sh", "mkdir -p model; echo 1 >model/weights.txt\n")
    fresh.commit("with secrets", push=True)
    fresh.git("remote", "set-url", "--push", "origin", "../remote.git")
    env = {"ASSENT_RUN_ID": "7", "ASSENT_RUN_ADDRESS": f"https://ci:{SECRET}@ci.example.com/7"}
    shown = [fresh.run("review", code=11, env=env), fresh.run("approve", "--as", GRACE, env=env)]
    shown += [fresh.run("register", env=env), fresh.run("review", "--json")]
    shown += [fresh.run("timeline", "--json"), fresh.run("diff", "v1", "v1", "--json")]
    ledger = subprocess.run(
        ["git", "-C", str(fresh.remote), "log", "-p", "assent/churn"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    places = {"the ledger": ledger, **{" ".join(ran.words): str(ran) for ran in shown}}
    for folder in (fresh.store, fresh.folder / ".assent"):
        for path in folder.rglob("*"):
            if path.is_file():
                places[str(path)] = path.read_text(errors="replace")
    assert any("[redacted]" in text.lower() for text in places.values())
    leaks = [place for place, text in places.items() if SECRET in text or TOKEN in text]
    assert leaks == []


# --- what is loaded -----------------------------------------------------------------------------


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "bomb",
    [
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
            for old, new in zip("abcdefghi", "bcdefghij", strict=True)
        ),
        "a: &a [*a]\n",
        "[" * 100_000,
        "!!python/object/apply:os.system ['touch owned']\n",
    ],
    ids=["bomb", "loop", "deep", "object"],
)
@pytest.mark.parametrize("where", ["metrics", "params", "assent.yaml"])
def test_a_hostile_yaml_file(fresh: Project, bomb: str, where: str) -> None:
    if where == "assent.yaml":
        fresh.write("assent.yaml", bomb)
        assert "reading " in fresh.run("review", code=2).stderr
    else:
        fresh.write("bomb.yaml" if where == "params" else "bomb", bomb)
        if where == "metrics":
            fresh.write("evaluate.sh", FILES["evaluate.sh"] + "cp bomb bomb.yaml\n")
        old = "metrics: [metrics.json]" if where == "metrics" else "params: [params.yaml]"
        fresh.edit("assent.yaml", old, f"{old.removesuffix(']')}, bomb.yaml]")
        fresh.commit("hostile", push=True)
        blocked = fresh.run("review", code=10)
        assert "evidence: bomb.yaml is usable" in blocked.stdout
    assert not (fresh.folder / "owned").exists()


@pytest.mark.threat(39)
def test_a_model_that_links_out_of_the_repository(fresh: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("not yours")
    fresh.write("train.sh", f"mkdir -p model; ln -sf {outside} model/weights.txt\n")
    ran = fresh.run("train", code=2)
    assert "the link leads to" in ran.stderr
    assert not fresh.store.exists()


def test_projects_can_be_copied(fresh: Project, tmp_path: Path) -> None:
    """What these tests lean on: a copy shares nothing with its original."""
    copy = copy_project(fresh, tmp_path / "copy")
    copy.run("note", "only here")
    assert copy.entries() == ["note on churn"]
    assert fresh.entries() == []


@pytest.mark.threat(14)
def test_metrics_that_an_evaluation_left_from_another_model_block(fresh: Project) -> None:
    fresh.register()
    fresh.branch("topic", accuracy="0.1")
    fresh.write("evaluate.sh", "true\n")  # ends well, and leaves the metrics of the last model
    fresh.commit()
    ran = fresh.run("review", code=2)
    assert "did not write metrics.json" in ran.stderr
    assert "earlier run" in ran.stderr
    assert json.loads((fresh.folder / "metrics.json").read_text()) == {"accuracy": 0.8}
