"""The stand-ins for the actions of others do locally what the real ones do."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.workflows.environments import TREE
from tests.workflows.place import REPOSITORY, WORKFLOW, Place, job

SHOW = "- {id: show, run: 'git for-each-ref --format=\"%(refname)\"; git rev-list --count HEAD'}"


class TestCheckout:
    def test_of_a_pull_request_is_its_merge_at_depth_1(self, place: Place) -> None:
        steps = (
            f"- {{id: co, uses: actions/checkout@v5}}\n{SHOW}\n- {{id: cat, run: cat model.txt}}"
        )
        payload = place.open_change(job(steps).replace("on: push", "on: pull_request"))
        run = place.github.run(WORKFLOW, "pull_request", payload)
        show = run.job("one").step("show")
        assert show.log.splitlines() == ["refs/remotes/pull/5/merge", "1"]
        assert run.job("one").step("cat").log == "two\n"
        merge = place.git("rev-parse", "refs/pull/5/merge", at=place.bare)
        assert run.job("one").step("co").outputs == {"ref": "refs/pull/5/merge", "commit": merge}

    def test_of_the_head_of_a_pull_request_is_detached(self, place: Place) -> None:
        steps = (
            "- uses: actions/checkout@v5\n"
            "  with: {ref: '${{ github.event.pull_request.head.sha }}'}\n"
            f"{SHOW}\n"
            "- {id: head, run: 'git rev-parse HEAD; git symbolic-ref -q HEAD || echo detached'}"
        )
        payload = place.open_change(job(steps).replace("on: push", "on: pull_request"))
        run = place.github.run(WORKFLOW, "pull_request", payload)
        head = payload["pull_request"]["head"]["sha"]
        assert run.job("one").step("head").log == f"{head}\ndetached\n"
        assert run.job("one").step("show").log.splitlines() == ["1"]

    def test_with_depth_0_has_everything(self, place: Place) -> None:
        place.commit({"a": "1"})
        place.git("tag", "v1")
        place.git("push", "-q", "origin", "v1", "HEAD:refs/heads/other")
        run = place.steps(f"- {{uses: actions/checkout@v5, with: {{fetch-depth: 0}}}}\n{SHOW}")
        assert run.job("one").step("show").log.splitlines() == [
            *("refs/heads/main", "refs/remotes/origin/main", "refs/remotes/origin/other"),
            *("refs/tags/v1", "2"),
        ]

    @pytest.mark.parametrize("ref", ["other", "refs/heads/other", "v1", "refs/tags/v1"])
    def test_of_another_ref(self, place: Place, ref: str) -> None:
        place.commit({"a": "1"})
        place.git("tag", "v1")
        place.git("push", "-q", "origin", "v1", "HEAD:refs/heads/other")
        wanted = place.git("rev-parse", "HEAD")
        run = place.steps(f"- {{id: co, uses: actions/checkout@v5, with: {{ref: {ref}, path: x}}}}")
        assert run.conclusion == "success", run.log
        assert run.job("one").step("co").outputs["commit"] == wanted
        assert (Path(run.job("one").workspace or "") / "x/a").read_text() == "1"

    @pytest.mark.parametrize(
        ("permissions", "persist", "is_pushed"),  # the push is larger than what Git sends at once
        [("write", True, True), ("read", True, False), ("write", False, False)],
    )
    def test_leaves_a_token_that_can_do_what_the_job_may(
        self, place: Place, permissions: str, persist: bool, is_pushed: bool
    ) -> None:
        keep = str(persist).lower()
        run = place.push(
            job(
                f"- {{uses: actions/checkout@v5, with: {{persist-credentials: {keep}}}}}\n"
                "- run: head -c 300000 /dev/urandom >big; git add big\n"
                "- run: git -c user.name=x -c user.email=x@y.z commit --quiet -m big\n"
                "- {id: push, run: git -c http.postBuffer=70000 push origin 'HEAD:refs/heads/new'}",
                f"permissions: {{contents: {permissions}}}",
            )
        )
        assert (run.job("one").step("push").outcome == "success") is is_pushed
        pushed = place.git("for-each-ref", "refs/heads/new", at=place.bare)
        assert bool(pushed) is is_pushed
        assert bool(place.github.git.refusals) is not is_pushed
        workspace = Path(run.job("one").workspace or "")
        assert "git-credentials" not in (workspace / ".git/config").read_text()
        assert not list((workspace.parents[1] / "_temp").glob("git-credentials*"))

    @pytest.mark.parametrize(
        ("ref", "fork", "is_refused"),
        [
            ("HEAD_SHA", 8, True),
            ("refs/pull/5/head", 8, True),
            ("refs/pull/5/merge", 8, True),
            ("main", 8, False),
            ("HEAD_SHA", 7, False),
        ],
    )
    def test_of_a_fork_is_refused_where_it_would_have_rights(
        self, place: Place, ref: str, fork: int, is_refused: bool
    ) -> None:
        workflow = job(f"- {{uses: actions/checkout@v7, with: {{ref: {ref}}}}}")
        event = place.open_change(workflow, head_repository=fork)["pull_request"]
        head = event["head"]["sha"]
        listens = "on: {workflow_run: {workflows: [x]}}"
        place.commit({WORKFLOW: workflow.replace("on: push", listens).replace("HEAD_SHA", head)})
        other = {"name": "x", "event": "pull_request", "head_branch": "better", "head_sha": head}
        payload = {
            "workflow_run": {**other, "head_repository": {"id": fork, "full_name": "bob/churn"}},
            "repository": REPOSITORY,
        }
        run = place.github.run(WORKFLOW, "workflow_run", payload)
        assert (run.conclusion == "failure") is is_refused
        assert ("Refusing to check out fork pull request code" in run.log) is is_refused

    def test_of_a_branch_that_has_moved_is_of_the_event(self, place: Place) -> None:
        first = place.commit({WORKFLOW: job("- {id: co, uses: actions/checkout@v7}")})
        place.commit({"later": "x"})
        payload = {"ref": "refs/heads/main", "after": first, "repository": REPOSITORY}
        run = place.github.run(WORKFLOW, "push", payload)
        assert run.job("one").step("co").outputs["commit"] == first

    def test_of_a_private_repository_needs_the_right_to_read(self, place: Place) -> None:
        place.github.git.rights.private.add("acme/churn")
        steps = "- {id: co, uses: actions/checkout@v5}"
        assert place.push(job(steps, "permissions: {contents: read}")).conclusion == "success"
        assert place.push(job(steps, "permissions: {issues: read}")).conclusion == "failure"


UPLOAD = """
    - run: mkdir -p out/deep out/.dark; echo 1 >out/a; echo 2 >out/deep/b
    - run: echo 3 >out/.hidden; echo 4 >out/.dark/c
    - {id: up, uses: actions/upload-artifact@v5, with: {name: evidence, path: out}}
    """


class TestArtifacts:
    def test_are_zip_files_without_hidden_files(self, place: Place) -> None:
        run = place.steps(UPLOAD)
        with zipfile.ZipFile(place.github.artifacts(run.id)["evidence"]) as archive:
            assert sorted(archive.namelist()) == ["a", "deep/b"]
        outputs = run.job("one").step("up").outputs
        assert outputs["artifact-url"].endswith(f"/runs/{run.id}/artifacts/1")
        assert len(outputs["artifact-digest"]) == 64

    @pytest.mark.parametrize(
        ("permissions", "token", "is_found"),
        [
            ("{actions: read}", "${{ github.token }}", True),
            ("{contents: read}", "${{ github.token }}", False),
            ("{actions: read}", "made-up", False),
            ("{actions: read}", "", False),
        ],
    )
    def test_of_another_run_need_a_token_that_may_read_them(
        self, place: Place, permissions: str, token: str, is_found: bool
    ) -> None:
        first = place.steps(UPLOAD)
        download = job(
            f"""
            - id: down
              uses: actions/download-artifact@v5
              with:
                name: evidence
                path: in
                run-id: ${{{{ github.event.workflow_run.id }}}}
                github-token: {token!r}
            - {{id: cat, run: cat in/a in/deep/b}}
            """,
            f"permissions: {permissions}",
        ).replace("on: push", "on: {workflow_run: {workflows: [x]}}")
        place.commit({WORKFLOW: download})
        payload = {
            "workflow_run": {"id": int(first.id), "name": "x", "head_branch": "b"},
            "repository": REPOSITORY,
        }
        run = place.github.run(WORKFLOW, "workflow_run", payload)
        assert (run.job("one").step("down").outcome == "success") is is_found
        if is_found:
            assert run.job("one").step("cat").log == "1\n2\n"

    def test_that_lead_out_of_the_folder_are_not_unpacked(self, place: Place) -> None:
        place.github.storage.joinpath("artifacts/1001").mkdir(parents=True)
        path = place.github.storage / "artifacts/1001/evil.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("../../../escaped", "x")
        run = place.steps("- {uses: actions/download-artifact@v5, with: {name: evil, path: in}}")
        assert run.id == "1001"
        assert "Malformed extraction path" in run.job("one").annotations[0].message
        assert not list(place.root.rglob("escaped"))

    def test_of_one_name_are_written_once(self, place: Place) -> None:
        step = "- {uses: actions/upload-artifact@v5, with: {path: out}}"
        run = place.steps(f"- run: mkdir out; echo 1 >out/a\n{step}\n{step}")
        outcomes = [one.outcome for one in run.job("one").steps]
        assert outcomes == ["success", "success", "failure"]

    @pytest.mark.parametrize(
        ("choice", "outcome"), [("error", "failure"), ("warn", "success"), ("ignore", "success")]
    )
    def test_without_files_do_what_was_asked(self, place: Place, choice: str, outcome: str) -> None:
        step = f"{{path: none, if-no-files-found: {choice}}}"
        run = place.steps(f"- {{uses: actions/upload-artifact@v5, with: {step}}}")
        assert run.job("one").steps[0].outcome == outcome
        assert place.github.artifacts(run.id) == {}


class TestCache:
    def test_keeps_folders_by_key(self, place: Place) -> None:
        steps = """
            - id: cache
              uses: actions/cache@v4
              with: {path: data, key: "k-KEY", restore-keys: k-}
            - {id: look, run: 'cat data/x || (mkdir data; echo KEY >data/x)'}
            """
        first, second, third = (place.steps(steps.replace("KEY", key)) for key in "112")
        assert first.job("one").step("cache").outputs == {"cache-hit": ""}
        assert "Cache saved with key: k-1" in first.job("one").posts[0].log
        assert second.job("one").step("cache").outputs == {"cache-hit": "true"}
        assert second.job("one").step("look").log == "1\n"
        assert "not saving cache" in second.job("one").posts[0].log
        assert third.job("one").step("cache").outputs == {"cache-hit": "false"}
        assert third.job("one").step("look").log == "1\n"

    def test_is_not_saved_by_a_job_that_failed(self, place: Place) -> None:
        run = place.steps(
            "- {uses: actions/cache@v4, with: {path: data, key: k}}\n- run: mkdir data; exit 1"
        )
        assert run.job("one").posts == []


class TestPython:
    def test_begins_with_nothing(self, place: Place) -> None:
        run = place.steps(
            """
            - {id: system, run: python3 -c 'import click'}
            - {id: pip, if: always(), run: python3 -m pip install click}
            - {if: always(), uses: actions/setup-python@v6, with: {python-version: "3.11"}}
            - {id: setup, if: always(), run: python -c 'import click'}
            - {id: venv, if: always(), run: python -m venv v && v/bin/python -c 'import click'}
            """
        )
        for name in ("system", "pip", "setup", "venv"):
            assert run.job("one").step(name).outcome == "failure", name
        assert "No module named 'click'" in run.job("one").step("venv").log

    @pytest.mark.parametrize("mode", ["ready", "build"])
    def test_installs_the_tree_under_test(self, place: Place, mode: str) -> None:
        place.github.install = mode
        run = place.steps(
            f"""
            - run: python3 -m venv env && env/bin/python -m pip install --quiet {TREE}
            - {{id: version, run: env/bin/assent --version}}
            - {{id: where, run: 'env/bin/python -c "import assent; print(assent.__file__)"'}}
            """
        )
        assert "version" in run.job("one").step("version").log
        where = Path(run.job("one").step("where").log.strip())
        workspace = run.job("one").workspace or ""
        assert where.is_relative_to(TREE / "src" if mode == "ready" else workspace)

    def test_has_no_other_packages_than_the_tests(self, place: Place) -> None:
        run = place.steps(
            """
            - uses: actions/setup-python@v6
            - run: |
                printf 'click>=8  # why\\n# no\\n\\npyyaml\\n' >wanted.txt
            - {id: fine, run: pip install -r wanted.txt && python -c 'import click; import yaml'}
            - {id: old, run: pip install 'click<1', if: always()}
            - {id: unknown, run: pip install no-such-thing, if: always()}
            - {id: tree, run: mkdir p && touch p/pyproject.toml && pip install ./p, if: always()}
            """
        )
        assert run.job("one").step("fine").outcome == "success"
        for name in ("old", "unknown", "tree"):
            assert run.job("one").step(name).outcome == "failure", name
        assert "the harness is offline" in run.job("one").step("unknown").log


@pytest.mark.parametrize("name", ["checkout", "setup-python", "upload-artifact", "cache"])
def test_an_input_that_the_real_action_does_not_have_is_an_error(place: Place, name: str) -> None:
    run = place.steps(f"- {{uses: actions/{name}@v1, with: {{surprise: 1}}}}")
    assert "Unexpected input 'surprise'" in run.job("one").annotations[0].message
