"""Whatever goes wrong: the right exit code, what was being done, what to do next, no traceback,
and nothing half-written.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.project import (
    CONFIG,
    FILES,
    GRACE,
    STOPPED,
    Project,
    ended,
    interrupt,
    points,
    wait_for,
)
from tests.effort import more_in_soak
from tests.waiting import HANGS_AFTER_S

WHY = ("--reason", "x")
Words = tuple[tuple[str, ...], ...]
WRITERS: Words = (
    ("approve", "--as", GRACE),
    ("register",),
    ("promote", "shadow"),
    ("rollback", "production", "--to", "v1", *WHY),
    ("clear", "staging", *WHY),
    ("retire", "v1", *WHY),
    ("note", "x"),
)
READERS: Words = (
    ("review",),
    ("status",),
    ("timeline",),
    ("show", "v1"),
    ("diff", "v1", "v1"),
    ("explain",),
    ("resolve", "production"),
    ("pull", "production", "--to", "served"),
    ("verify",),
)
MAKERS: Words = (("train",), ("evaluate",), ("bundle",))
EVERYTHING = (*MAKERS, *READERS, *WRITERS)


def named(words: tuple[str, ...]) -> str:
    return words[0]


every_verb = pytest.mark.parametrize("words", EVERYTHING, ids=named)


# --- where it is run ----------------------------------------------------------------------------


@every_verb
def test_outside_a_repository(tmp_path: Path, words: tuple[str, ...]) -> None:
    project = Project(tmp_path)
    project.write("assent.yaml", CONFIG)
    ran = project.run(*words, code=2)
    assert "looking for the Git repository" in ran.stderr
    assert "hint: run `git init` here" in ran.stderr


@every_verb
def test_without_a_configuration(tmp_path: Path, words: tuple[str, ...]) -> None:
    ran = Project(tmp_path).run(*words, code=2)
    assert "looking for assent.yaml: there is none in" in ran.stderr
    assert "hint: run `assent init`" in ran.stderr


@every_verb
def test_unreachable_remote(shipped: Project, words: tuple[str, ...]) -> None:
    shipped.git("remote", "set-url", "origin", "/nowhere/remote.git")
    if words in MAKERS:
        shipped.run(*words)  # needs no ledger
        return
    ran = shipped.run(*words, code=3)
    said = ran.stdout if words == ("status",) else ran.stderr
    assert "ledger" in said
    assert "'/nowhere/remote.git' does not appear to be a git repository" in said
    if words != ("verify",):
        assert "hint: is the remote reachable" in said


def test_a_review_asks_for_the_ledger_before_it_trains(fresh: Project) -> None:
    fresh.git("remote", "set-url", "origin", "file:///nowhere.git")
    assert "nowhere.git" in fresh.run("review", code=3).stderr
    assert fresh.runs() == []


def test_the_password_of_a_remote_is_not_shown(shipped: Project) -> None:
    shipped.git("remote", "set-url", "origin", "https://ada:hunter22@127.0.0.1:9/x.git")
    ran = shipped.run("promote", "shadow", code=3)
    assert "127.0.0.1" in ran.stderr
    assert "hunter22" not in str(ran)


def test_no_commit_yet(tmp_path: Path) -> None:
    project = Project(tmp_path / "work")
    project.folder.mkdir()
    project.git("init", "--quiet", "--initial-branch=main")
    project.identify("Ada", "ada@example.com")
    for path, text in FILES.items():
        project.write(path, text)
    for words in MAKERS:
        project.run(*words)
    needs_one: Words = (("review",), *WRITERS[:4], ("explain",))
    for words in needs_one:
        ran = project.run(*words, code=2)
        assert "the repository has no commit yet" in ran.stderr
        assert "hint: commit first" in ran.stderr
    assert "0 versions" in project.run("status").stdout


def test_a_dirty_tree_is_reviewed_and_not_registered(shipped: Project) -> None:
    shipped.write("params.yaml", "accuracy: 0.85\n")
    review = shipped.run("review", code=11)
    assert "note: It was trained from a working tree with uncommitted changes" in review.stdout
    refused = shipped.run("register", code=10)
    assert "the inputs in the working tree are not those of the commit" in refused.stderr
    assert "hint: commit or restore them" in refused.stderr


@pytest.mark.threat(31)
def test_a_detached_head(approved: Project) -> None:
    approved.git("checkout", "--quiet", "--detach")
    approved.run("review")
    approved.run("register")
    approved.run("promote", "staging")
    approved.branch("better", accuracy="0.9")
    approved.git("checkout", "--quiet", "--detach")
    approved.run("review", code=11)
    assert "is not part of main" in approved.run("register", code=10).stderr


@pytest.mark.threat(31)
def test_a_shallow_clone_of_the_base_branch(shipped: Project) -> None:
    shipped.commit("newer", push=True)
    clone = shipped.clone("shallow", "--depth=1")
    assert "v1" in clone.run("status").stdout
    clone.run("review")
    clone.run("promote", "shadow")
    clone.run("verify")
    assert (clone.folder / ".git/shallow").exists()
    assert len(clone.entries()) == 6


@pytest.mark.threat(1)
@pytest.mark.threat(31)
def test_a_shallow_clone_that_hides_authors_lets_no_approval_count(shipped: Project) -> None:
    shipped.branch("better")
    shipped.identify("Grace", "grace@example.com")
    shipped.write("params.yaml", "accuracy: 0.9\n")
    shipped.commit("by Grace")
    shipped.identify("Ada", "ada@example.com")
    shipped.commit("by Ada", push=True)
    clone = shipped.clone("shallow", "--depth=1", "--branch=better")
    unknown = clone.run("register", code=2)
    assert "this clone has no base branch" in unknown.stderr
    assert "git fetch origin main" in unknown.stderr
    clone.git("fetch", "--quiet", "--depth=1", "origin", "main:refs/remotes/origin/main")
    assert "git fetch --unshallow" in clone.run("review", code=10).stdout
    clone.run("approve", "--as", GRACE, code=10)
    assert len(clone.entries()) == 5
    clone.git("fetch", "--quiet", "--unshallow")
    assert "made this change" in clone.run("approve", "--as", GRACE, code=10).stdout


# --- what it is told ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: [}\n", "line 1"),
        ("", "line 1"),
        ("\0", "control characters"),
        (CONFIG.replace("gates:", "gatez:"), "unknown key 'gatez'; did you mean 'gates'?"),
        (CONFIG.replace("min:", "mni:"), "unknown key 'mni'; did you mean 'min'?"),
        (CONFIG.replace("count: 1,", "count: one,", 1), "expected a whole number"),
        (
            CONFIG.replace("store: ../store", "store: ftp://b/x"),
            "in folders, container registries and object stores only",
        ),
        (CONFIG.replace("models:", "ledger: git:upstream\nmodels:"), "no remote 'upstream'"),
    ],
    ids=["syntax", "empty", "binary", "key", "gate", "type", "store", "ledger"],
)
def test_a_configuration_that_is_wrong(shipped: Project, text: str, said: str) -> None:
    shipped.write("assent.yaml", text)
    ran = shipped.run("status", code=2)
    assert said in ran.stderr
    assert "hint: " in ran.stderr


@pytest.mark.threat(13)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("gates:\n      - {metric: accuracy, min: 0.5, max_drop: 0.05}", "gates: []"),
        ('from: ["@reviewers"]', "from: []"),
        ("    gates:\n      - {metric: accuracy, min: 0.5, max_drop: 0.05}\n", ""),
    ],
    ids=["no gate", "nobody", "no gates"],
)
def test_an_empty_rule_is_an_error(fresh: Project, old: str, new: str) -> None:
    fresh.edit("assent.yaml", old, new)
    assert "empty" in fresh.run("review", code=2).stderr
    fresh.commit("no rules", push=True)
    fresh.run("register", code=2)


def test_a_broken_configuration_on_the_base_branch(shipped: Project) -> None:
    shipped.write("assent.yaml", "models: [}\n")
    shipped.commit("broken", push=True)
    shipped.write("assent.yaml", CONFIG)
    judging: Words
    judging = (("review",), ("approve", "--as", GRACE), ("promote", "shadow"), ("explain",))
    for words in judging:
        assert "reading assent.yaml of main, line 1" in shipped.run(*words, code=2).stderr
    shipped.run("status")
    shipped.run("resolve", "production")


@pytest.mark.parametrize("verb", ["train", "evaluate", "bundle", "review", "approve", "verify"])
def test_an_unknown_model(shipped: Project, verb: str) -> None:
    ran = shipped.run(verb, "chrun", code=2)
    assert "looking for the model 'chrun'" in ran.stderr
    assert "churn" in ran.stderr.partition("hint:")[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("promote", "prod"), "it has: shadow, staging, production"),
        (("promote", "v1", "shadow"), "the stage comes first"),
        (("promote", "shadow", "v7"), "the newest is v1"),
        (("promote", "shadow", "--override"), "no reason is given"),
        (("clear", "prod", *WHY), "there is no stage of this name"),
        (("clear", "production", "--reason", " "), "the reason is empty"),
        (("clear", "production"), "Missing option '--reason'"),
        (("retire", "v7", *WHY), "the newest is v1"),
        (("rollback", "production", *WHY), "nothing before v1"),
        (("rollback", "production", "--to", "x", *WHY), "'x' is no version"),
        (("resolve", "prod"), "neither a version nor a stage"),
        (("resolve", "shadow"), "the stage holds nothing"),
        (("pull", "shadow", "--to", "new"), "the stage holds nothing"),
        (("pull", "v9", "--to", "new"), "the newest is v1"),
        (("pull", "v1", "--to", "data"), "exists and holds something else"),
        (("diff", "v1", "nothing"), "no version, stage, complete digest or revision"),
        (("diff", "v1", "sha256:0123"), "complete digests are in the output of"),
        (("verify", "chrun"), "neither assent.yaml nor a ledger has it"),
        (("explain", "--stage", "prod"), "it has: shadow, staging, production"),
        (("approve", "--as", "grce"), "`people` has ada, grace, rosa"),
        (("approve", "--reject"), "--reject needs --as"),
        (("note", ""), "the reason is empty"),
        (("note", "x", "--link", "y"), "is not NAME=ADDRESS"),
        (("train", "--forse"), "--force"),
        (("trian",), "there is no verb 'trian'; did you mean 'train'?"),
        (("status", "--config", "no.yaml"), "there is no such file"),
    ],
    ids=lambda value: "-".join(value)[:30] if isinstance(value, tuple) else "",
)
def test_what_is_asked_for_is_not_there(
    shipped: Project, words: tuple[str, ...], said: str
) -> None:
    ran = shipped.run(*words, code=2)
    assert said in ran.stderr
    assert len(shipped.entries()) == 5


@pytest.mark.parametrize("words", [*MAKERS, ("review",), ("register",)], ids=named)
def test_a_missing_input(fresh: Project, words: tuple[str, ...]) -> None:
    (fresh.folder / "data/train.csv").unlink()
    if words == ("bundle",):
        return  # says first that nothing was evaluated
    assert "nothing matches 'data/train.csv'" in fresh.run(*words, code=2).stderr


def test_steps_in_the_wrong_order(fresh: Project) -> None:
    assert "hint: run `assent train` first" in fresh.run("evaluate", code=2).stderr
    assert "hint: run `assent evaluate` first" in fresh.run("bundle", code=2).stderr
    assert "hint: run `assent review`" in fresh.run("register", code=2).stderr
    assert "hint: run `assent register`" in fresh.run("promote", "staging", code=2).stderr
    fresh.run("train")
    assert "hint: run `assent evaluate` first" in fresh.run("bundle", code=2).stderr
    fresh.run("evaluate")
    fresh.write("params.yaml", "accuracy: 0.85\n")
    assert "hint: run `assent train` again" in fresh.run("bundle", code=2).stderr
    assert "hint: run `assent train` again" in fresh.run("evaluate", code=2).stderr
    fresh.write("params.yaml", FILES["params.yaml"])
    fresh.write("model/weights.txt", "by hand")
    assert "hint: run `assent evaluate` again" in fresh.run("bundle", code=2).stderr


# --- the team's own command ---------------------------------------------------------------------


@pytest.mark.parametrize("code", [1, 7, 10, 130, *more_in_soak(2, 3, 4, 11, 255)])
def test_the_exit_code_of_the_teams_command_is_passed_on(fresh: Project, code: int) -> None:
    """Also one that means something else of ours: the message says whose it is."""
    fresh.write("train.sh", f"echo its own words >&2; exit {code}\n")
    ran = fresh.run("train", "--json", code=code)
    assert "its own words" in ran.stderr
    assert f"`sh train.sh` ended with exit code {code}" in ran.stderr
    assert "this exit code is the command's own" in ran.stderr
    assert ran.json["error"]["exit_code"] == code
    assert not (fresh.folder / ".assent/work/churn/train.json").exists()
    assert not fresh.store.exists()


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_the_teams_command_is_killed(fresh: Project, sign: signal.Signals) -> None:
    fresh.write("train.sh", f"kill -{sign.value} $$\n")
    ran = fresh.run("train", code=128 + sign)
    assert f"ended by {sign.name}" in ran.stderr


def test_a_failing_evaluation_stops_the_review(fresh: Project) -> None:
    fresh.write("evaluate.sh", "exit 7\n")
    assert "evaluating churn: `sh evaluate.sh`" in fresh.run("review", code=7).stderr
    assert not fresh.store.exists()


def test_a_failing_training_leaves_no_older_evidence(approved: Project) -> None:
    approved.write("train.sh", "exit 7\n")
    approved.run("train", code=7)
    assert "nothing was evaluated yet" in approved.run("bundle", code=2).stderr


def test_a_training_that_leaves_no_model(fresh: Project) -> None:
    fresh.write("train.sh", "true\n")
    ran = fresh.run("train", code=2)
    assert "at 'model/' there is no such file or folder" in ran.stderr
    assert "correct `model` in assent.yaml" in ran.stderr


def test_an_evaluation_that_changes_the_model(fresh: Project) -> None:
    fresh.write("evaluate.sh", "echo more >>model/weights.txt\n")
    assert "the evaluation changed the model" in fresh.run("review", code=2).stderr


# --- interruptions ------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", ["train", "evaluate"])
def test_interrupted_while_the_teams_command_runs(
    fresh: Project, step: str, sign: signal.Signals
) -> None:
    if step == "evaluate":
        fresh.run("train")
    fresh.write("slow.sh", "trap 'touch stopped; exit 1' INT TERM\ntouch started\nsleep 6000\n")
    fresh.edit("assent.yaml", f"sh {step}.sh", "sh slow.sh")
    if step == "evaluate":
        fresh.run("train")
    process = fresh.start(step)
    wait_for(fresh.folder / "started")
    if sign is signal.SIGINT:
        interrupt(process)
    else:
        process.send_signal(sign)  # as `docker stop` and CI systems do: to this process alone
    ran = ended(process, step, code=130)
    assert "assent: interrupted" in ran.stderr
    assert (fresh.folder / "stopped").exists(), "the team's command was told"
    assert not (fresh.folder / f".assent/work/churn/{step}.json").exists()
    fresh.write("assent.yaml", CONFIG)
    fresh.run("review", code=11)


STEPS = {
    "bundle": ("bundle",),
    "approve": ("approve", "--as", GRACE),
    "register": ("register",),
    "promote": ("promote", "staging"),
    "pull": ("pull", "v1", "--to", "served"),
}


def ready_for(step: str, request: pytest.FixtureRequest) -> Project:
    """A project in which `step` is what comes next."""
    project: Project
    if step == "bundle":
        project = request.getfixturevalue("fresh")
        project.run("train")
        project.run("evaluate")
    elif step == "approve":
        project = request.getfixturevalue("reviewed")
    elif step == "register":
        project = request.getfixturevalue("approved")
    else:
        project = request.getfixturevalue("registered")
    return project


@pytest.mark.threat(25)
@pytest.mark.parametrize(
    ("step", "sign"),
    [
        *((step, "SIGKILL") for step in STEPS),
        *((step, "SIGINT") for step in ("bundle", "register")),
        *more_in_soak(*((step, "SIGINT") for step in STEPS if step not in ("bundle", "register"))),
    ],
)
def test_stopped_at_some_point_and_run_again(
    request: pytest.FixtureRequest, tmp_path: Path, step: str, sign: str
) -> None:
    original = ready_for(step, request)
    words = STEPS[step]
    most = 4 if sign == "SIGKILL" else 3
    for point in points(original, words, tmp_path / "count", most=most):
        place = tmp_path / f"at-{point}"
        shutil.copytree(original.folder.parent, place, symlinks=True)
        project = replace(original, folder=place / "work")
        process = project.start(sign, str(point), *words, program=(STOPPED,))
        _, stderr = process.communicate(timeout=HANGS_AFTER_S)
        at = f"{step} at point {point}: {stderr.decode()}"
        assert b"Traceback" not in stderr, at
        assert b"bug in Assent" not in stderr, at
        if sign == "SIGKILL":
            assert process.returncode == -signal.SIGKILL, at
        else:
            assert process.returncode in (0, 130), at
            assert process.returncode == 0 or b"assent: interrupted" in stderr, at
        project.run(*words)
        project.run("verify")
        assert len(project.entries()) == len(original.entries()) + (step not in ("bundle", "pull"))
        if step == "pull":
            names = sorted(path.name for path in (project.folder / "served").iterdir())
            assert names == ["format", "weights.txt"]
        shutil.rmtree(place)


# --- the outside world --------------------------------------------------------------------------


def close(folder: Path) -> None:
    """Take away the right to write, here and below."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o555)


@pytest.mark.parametrize(
    ("closed", "words", "said"),
    [
        ("store", ("bundle",), "opening the store"),
        ("store", ("review",), "opening the store"),
        ("work/.assent", ("train", "--force"), "Permission denied"),
        ("work/.assent", ("evaluate", "--force"), "Permission denied"),
        ("work/.assent", ("review",), "report.html: Permission denied"),
        ("work/.git", ("review",), "make it writable for this user"),
        ("work/.git", ("status",), "make it writable for this user"),
    ],
)
def test_a_folder_that_is_read_only(
    fresh: Project, locked_out: tuple[str, ...], closed: str, words: tuple[str, ...], said: str
) -> None:
    fresh.run("train")
    fresh.run("evaluate")
    fresh.store.mkdir()
    if words == ("review",) and closed == "work/.assent":
        fresh.run("bundle")
    close(fresh.folder.parent / closed)
    ran = replace(fresh, prefix=locked_out).run(*words, code=3)
    assert said in ran.stdout + ran.stderr
    assert "hint: " in ran.stdout + ran.stderr


@pytest.mark.threat(25)
@pytest.mark.parametrize("words", [("register",), ("promote", "staging")], ids=named)
def test_a_store_that_is_read_only_when_the_ledger_is_written(
    request: pytest.FixtureRequest, locked_out: tuple[str, ...], words: tuple[str, ...]
) -> None:
    project = ready_for(words[0], request)
    modes = {path: path.stat().st_mode for path in project.store.rglob("*")}
    close(project.store)
    ran = replace(project, prefix=locked_out).run(*words, code=3)
    assert "of the ledger is written" in ran.stderr
    assert "hint: run the verb again" in ran.stderr
    for path, mode in {project.store: 0o755, **modes}.items():
        path.chmod(mode)
    project.run("verify", code=4)
    project.run(*words)
    project.run("verify")


@pytest.mark.threat(26)
def test_a_remote_that_refuses(registered: Project) -> None:
    hook = registered.remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not on a Friday >&2\nexit 1\n")
    hook.chmod(0o755)
    ran = registered.run("promote", "staging", code=3)
    assert "writing to the ledger of churn in origin" in ran.stderr
    assert "not on a Friday" in ran.stderr
    assert "hint: " in ran.stderr
    assert "staging     nothing" in registered.run("status").stdout
    hook.unlink()
    registered.run("promote", "staging")
    registered.run("verify")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small file system can be mounted by root only")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """Fill a disk up to some bytes."""
    ballast = disk / "ballast"
    free = shutil.disk_usage(disk).free
    ballast.write_bytes(b"x" * max(0, free - leave))
    return ballast


@pytest.mark.threat(25)
@pytest.mark.parametrize("leave", [0, 16_384])
def test_a_full_store(fresh: Project, small_disk: Path, leave: int) -> None:
    fresh.store.symlink_to(small_disk)
    fresh.run("train")
    fresh.run("evaluate")
    ballast = fill(small_disk, leave=leave)
    fresh.write("train.sh", FILES["train.sh"] + "head -c 100000 /dev/zero >model/large.bin\n")
    fresh.commit("a large model", push=True)
    fresh.run("train")
    fresh.run("evaluate", "--force")
    ran = fresh.run("bundle", code=3)
    assert "No space left on device" in ran.stderr
    assert "hint: free some space" in ran.stderr
    ballast.unlink()
    fresh.run("bundle")
    fresh.register()
    fresh.run("verify")


@pytest.mark.threat(25)
@pytest.mark.parametrize("leave", [0, 8_192, 65_536])
def test_a_full_disk_under_the_repository(
    registered: Project, small_disk: Path, leave: int
) -> None:
    home = registered.folder / ".git/assent"
    shutil.copytree(home, small_disk / "assent")
    shutil.rmtree(home)
    home.symlink_to(small_disk / "assent")
    before = registered.entries()
    ballast = fill(small_disk, leave=leave)
    process = registered.start("promote", "staging")
    _, stderr = process.communicate(timeout=HANGS_AFTER_S)
    assert b"Traceback" not in stderr
    assert process.returncode in (0, 3), stderr.decode()
    if process.returncode == 3:
        assert b"ledger" in stderr
        assert registered.entries() == before
    ballast.unlink()
    registered.run("promote", "staging")
    registered.run("verify")


def test_a_closed_pipe_is_no_error(shipped: Project) -> None:
    process = shipped.start("timeline")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    stderr = process.stderr.read().decode()
    process.wait(timeout=HANGS_AFTER_S)
    process.stderr.close()
    assert "Traceback" not in stderr
    assert process.returncode == 0, stderr


def test_a_bug_says_how_to_report_it(fresh: Project) -> None:
    """Exit code 1 is ours alone."""
    broken = (
        "import assent.cli.status as s; s.open_workspace = lambda _: 1 / 0; "
        "from assent.cli.main import main; main()"
    )
    process = fresh.start("status", program=("-c", broken))
    _, stderr = process.communicate(timeout=HANGS_AFTER_S)
    assert process.returncode == 1
    assert b"this is a bug in Assent: ZeroDivisionError" in stderr
    assert b"ASSENT_TRACEBACK=1" in stderr
    assert b"Traceback" not in stderr


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"cd {gone} && rmdir {gone} && {sys.executable} -m assent status"
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=False, text=True)
    assert "Traceback" not in done.stderr
    assert done.returncode in (2, 3), done.stderr
