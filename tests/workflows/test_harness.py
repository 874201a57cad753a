"""The harness does with workflows what GitHub documents."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from tests.workflows.harness import RUNNER, HarnessError
from tests.workflows.place import REPOSITORY, WORKFLOW, Place, job
from tests.workflows.results import Admission, Annotation, Concurrency, Environment


class TestExpressions:
    def test_are_evaluated_in_scripts_inputs_and_variables(self, place: Place) -> None:
        run = place.steps(
            """
            - id: a
              env:
                LIST: ${{ join(fromJSON('["x","y"]'), '+') }}
                MIXED: ref ${{ github.ref_name }} of ${{ github.event.repository.full_name }}
                NUMBER: 1.50
                TRUTH: ${{ 1 == 1 && !false }}
                NOTHING: ${{ github.event.no.such.thing }}
                OBJECT: ${{ toJSON(github.event.repository.owner) }}
              run: |
                echo "$LIST|$MIXED|$NUMBER|$TRUTH|$NOTHING|${{ format('{0}{{}}', 'f') }}"
                echo "$OBJECT"
            """
        )
        log = run.job("one").step("a").log
        assert log == 'x+y|ref main of acme/churn|1.5|true||f{}\n{\n  "id": 70\n}\n'

    def test_in_several_lines_are_as_yaml_reads_them(self, place: Place) -> None:
        run = place.steps(
            """
            - id: a
              if: >-
                always() &&
                github.ref_name == 'main'
              env:
                QUOTED: "a ${{
                  github.ref_name }}
                  b"
                FOLDED: >-
                  c ${{ github.ref_name }}
                  d
              run: |
                cat <<END
                  $QUOTED ${{ github.event_name }}
                $FOLDED
                {it's} {0} ${{ '{1}' }}
                END
            """
        )
        assert run.job("one").step("a").log == "  a main b push\nc main d\n{it's} {0} {1}\n"

    def test_variables_have_three_levels_and_defaults_two(self, place: Place) -> None:
        run = place.push(
            """
            on: push
            env: {A: workflow, B: workflow, C: workflow}
            defaults: {run: {shell: sh, working-directory: deep}}
            jobs:
              one:
                runs-on: ubuntu-latest
                env: {B: job, C: "job ${{ github.ref_name }}"}
                defaults: {run: {working-directory: .}}
                steps:
                  - {id: a, run: 'echo "$A $B $C"; echo "$0"; pwd', env: {C: "step ${{ env.C }}"}}
            """
        )
        job = run.job("one")
        values, script, folder = job.step("a").log.splitlines()
        assert values == "workflow job step job main"
        assert script.endswith(".sh")
        assert folder == job.workspace

    def test_of_a_context_that_is_not_there_is_an_error_of_the_workflow(self, place: Place) -> None:
        run = place.push(job("- run: true", "env: {A: '${{ steps.x.outputs.y }}'}"))
        assert run.conclusion == "startup_failure"
        assert "Unrecognized named-value: 'steps'" in run.errors[0]

    def test_hash_files_is_of_their_content(self, place: Place) -> None:
        run = place.steps(
            """
            - run: mkdir -p a; echo 1 >a/x.lock; echo 1 >y.lock; echo 2 >z.lock
            - id: hashes
              env:
                X: ${{ hashFiles('a/*.lock') }}
                Y: ${{ hashFiles('y.lock') }}
                Z: ${{ hashFiles('z.lock') }}
                ALL: ${{ hashFiles('**/*.lock', '!z.lock') }}
                NONE: ${{ hashFiles('nothing') }}
              run: |
                test "$X" = "$Y" && test "$Y" != "$Z" && test "$ALL" != "$X" && test -z "$NONE"
                echo "$X"
            """
        )
        hashed = run.job("one").step("hashes").log.strip()
        assert hashed == sha256(sha256(b"1\n").digest()).hexdigest()


class TestConditions:
    def test_a_failure_skips_what_does_not_ask_for_it(self, place: Place) -> None:
        run = place.steps(
            """
            - {id: bad, run: exit 3}
            - {id: usual, run: true}
            - {id: plain, run: true, if: github.ref_name == 'main'}
            - {id: after, run: true, if: failure() && steps.bad.outcome == 'failure'}
            - {id: always, run: true, if: always()}
            - {id: wrong, run: true, if: "always() && steps.bad.outcome == 'success'"}
            """
        )
        steps = run.job("one").steps
        assert [step.outcome for step in steps] == [
            *("failure", "skipped", "skipped", "success", "success", "skipped")
        ]
        assert steps[0].exit_code == 3
        assert run.conclusion == run.job("one").result == "failure"

    def test_continue_on_error_changes_the_conclusion(self, place: Place) -> None:
        run = place.steps(
            """
            - {id: bad, run: exit 1, continue-on-error: true}
            - {id: next, run: 'echo "${{ steps.bad.outcome }} ${{ steps.bad.conclusion }}"'}
            """
        )
        bad = run.job("one").step("bad")
        assert (bad.outcome, bad.conclusion) == ("failure", "success")
        assert run.job("one").step("next").log == "failure success\n"
        assert run.conclusion == "success"

    def test_jobs_wait_for_their_needs_and_are_skipped_with_them(self, place: Place) -> None:
        run = place.push(
            """
            on: push
            jobs:
              last:
                needs: [off, good]
                if: always() && needs.good.outputs.word == 'hi' && needs.off.result == 'skipped'
                runs-on: ubuntu-latest
                steps: [{run: true}]
              good:
                runs-on: ubuntu-latest
                outputs: {word: "${{ steps.say.outputs.word }}"}
                steps: [{id: say, run: 'echo word=hi >>"$GITHUB_OUTPUT"'}]
              off: {if: github.ref_name != 'main', runs-on: u, steps: [{run: true}]}
              after-off: {needs: off, runs-on: u, steps: [{run: true}]}
              after-last: {needs: last, runs-on: u, steps: [{run: true}]}
              red: {runs-on: u, steps: [{run: exit 1}]}
              after-red: {needs: red, runs-on: u, steps: [{run: true}]}
              rescue: {needs: after-red, if: failure(), runs-on: u, steps: [{run: true}]}
            """
        )
        assert {one.id: one.result for one in run.jobs} == {
            "good": "success",
            "off": "skipped",
            "last": "success",
            "after-off": "skipped",
            # An ancestor was skipped: the usual condition looks at the whole chain.
            "after-last": "skipped",
            "red": "failure",
            "after-red": "skipped",
            "rescue": "success",
        }
        order = [one.id for one in run.jobs]
        assert order.index("good") < order.index("last")
        assert run.conclusion == "failure"

    def test_a_matrix_runs_each_combination(self, place: Place) -> None:
        run = place.push(
            job(
                "- run: echo ${{ matrix.model }} ${{ matrix.size }} ${{ matrix.extra }}",
                """
                strategy:
                  matrix:
                    model: ${{ fromJSON('["churn", "fraud"]') }}
                    size: [1, 2]
                    exclude: [{model: fraud, size: 2}]
                    include: [{model: fraud, extra: more}, {model: spam, size: 9}]
                """,
            )
        )
        said = {one.name: one.steps[0].log.strip() for one in run.jobs}
        assert said == {
            "one (churn, 1)": "churn 1",
            "one (churn, 2)": "churn 2",
            "one (fraud, 1, more)": "fraud 1 more",
            "one (spam, 9)": "spam 9",
        }


class TestScripts:
    def test_bash_that_is_asked_for_fails_in_pipes(self, place: Place) -> None:
        run = place.steps(
            """
            - {id: usual, run: 'false | true; echo "$-"'}
            - {id: asked, run: 'false | true; echo no', shell: bash}
            - {id: python, run: 'import sys; print(sys.argv)', shell: python, if: always()}
            """
        )
        job = run.job("one")
        assert job.step("usual").outcome == "success"
        assert (job.step("asked").outcome, job.step("asked").log) == (
            "failure",
            "##[error]Process completed with exit code 1.\n",
        )
        assert job.step("python").outcome == "success"

    def test_a_step_that_takes_too_long_is_killed_with_its_children(self, place: Place) -> None:
        run = place.steps("- {id: a, run: 'sleep 600 & sleep 600', timeout-minutes: 0.005}")
        step = run.job("one").step("a")
        assert step.outcome == "failure"
        assert "timed out" in step.annotations[0].message

    def test_see_what_a_runner_gives_and_nothing_else(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OF_THE_DEVELOPER", "1")
        monkeypatch.setenv("GITHUB_TOKEN", "1")
        run = place.steps("- {id: a, run: env, env: {OWN: '1', GITHUB_REF: forged}}")
        seen = dict(line.split("=", 1) for line in run.job("one").step("a").log.splitlines())
        assert seen["OWN"] == "1"
        assert seen["GITHUB_REF"] == "refs/heads/main"
        assert not seen.keys() & {"OF_THE_DEVELOPER", "GITHUB_TOKEN", "PYTHONPATH", "VIRTUAL_ENV"}
        assert not [name for name in seen if name.startswith(("ASSENT", "INPUT", "PYTEST"))]
        assert seen["GITHUB_SHA"] == run.sha
        assert seen["GITHUB_RUN_ID"] == run.id
        assert seen["GITHUB_WORKFLOW_REF"] == f"acme/churn/{WORKFLOW}@refs/heads/main"

    def test_see_each_others_variables_and_path_but_no_more(self, place: Place) -> None:
        run = place.steps(
            """
            - id: a
              run: |
                mkdir tools; printf '#!/bin/sh\\necho found' >tools/mine; chmod +x tools/mine
                echo "$PWD/tools" >>"$GITHUB_PATH"
                echo "KEPT=1" >>"$GITHUB_ENV"
                export LOST=1
            - {id: b, run: 'mine; echo "$KEPT ${{ env.KEPT }} $LOST."'}
            """
        )
        assert run.job("one").step("a").exported == {"KEPT": "1"}
        assert run.job("one").step("b").log == "found\n1 1 .\n"


class TestOutputs:
    def test_a_newline_in_a_plain_value_injects_an_output(self, place: Place) -> None:
        """As on GitHub: so a test of an action can find that it is open to this."""
        run = place.steps(
            """
            - id: open
              env: {VALUE: "x\\nverdict=passed"}
              run: echo "value=$VALUE" >>"$GITHUB_OUTPUT"
            - id: closed
              env: {VALUE: "x\\nverdict=passed\\nEOF"}
              run: |
                mark="end_$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')"
                printf 'value<<%s\\n%s\\n%s\\n' "$mark" "$VALUE" "$mark" >>"$GITHUB_OUTPUT"
            """
        )
        job = run.job("one")
        assert job.step("open").outputs == {"value": "x", "verdict": "passed"}
        assert job.step("closed").outputs == {"value": "x\nverdict=passed\nEOF"}

    @pytest.mark.parametrize(
        ("line", "complaint"),
        [
            ("nothing", "Invalid format 'nothing'"),
            ("=x", "Name must not be empty"),
            ("a<<", "delimiter must not be empty"),
            ("a<<END", "Matching delimiter not found 'END'"),
        ],
    )
    def test_a_file_that_cannot_be_read_fails_the_step(
        self, place: Place, line: str, complaint: str
    ) -> None:
        run = place.steps(f'- {{id: a, run: \'echo "{line}" >>"$GITHUB_OUTPUT"\'}}')
        step = run.job("one").step("a")
        assert step.outcome == "failure"
        assert complaint in step.annotations[-1].message

    def test_summaries_are_joined_and_bounded(self, place: Place) -> None:
        run = place.steps(
            """
            - run: echo "# one" >>"$GITHUB_STEP_SUMMARY"
            - run: head -c 1048577 /dev/zero | tr '\\\\0' x >>"$GITHUB_STEP_SUMMARY"
            - run: echo "two" >>"$GITHUB_STEP_SUMMARY"
            """
        )
        assert run.job("one").summary == "# one\n\ntwo\n"
        assert "upload aborted" in run.job("one").annotations[0].message
        assert run.conclusion == "success"


class TestCommands:
    def test_annotations_are_read_and_unescaped(self, place: Place) -> None:
        run = place.steps(
            """
            - id: a
              run: |
                echo '::error file=a%2Cb.py,line=3,title=T%3A1::one%0Atwo %2525'
                echo '  ::warning::careful'
                echo 'text ::notice::not a command'
                echo 'text ##[notice]the old form'
            """
        )
        assert run.job("one").annotations == [
            Annotation("error", "one\ntwo %25", title="T:1", file="a,b.py", line="3"),
            Annotation("warning", "careful"),
            Annotation("notice", "the old form"),
        ]
        assert "text ::notice::not a command\n" in run.log

    def test_stopped_commands_are_text(self, place: Place) -> None:
        run = place.steps(
            """
            - run: |
                echo '::stop-commands::key'
                echo '::error::quoted'
                echo '::key::'
                echo '::group::a title'
            """
        )
        assert run.job("one").annotations == []
        assert run.job("one").steps[0].groups == ["a title"]
        assert "::error::quoted\n" in run.log

    def test_retired_commands_are_an_error(self, place: Place) -> None:
        run = place.steps("- {id: a, run: 'echo ::set-output name=a::b'}")
        assert run.job("one").step("a").outcome == "failure"
        assert run.job("one").step("a").outputs == {}


class TestSecrets:
    def test_are_hidden_and_not_passed_on(self, place: Place) -> None:
        place.github.secrets = {"KEY": "s3cret", "TWO": "first line\nsecond line"}
        run = place.push(
            """
            on: push
            jobs:
              one:
                runs-on: ubuntu-latest
                outputs: {key: "${{ steps.a.outputs.key }}", fine: "${{ steps.a.outputs.fine }}"}
                steps:
                  - id: a
                    env: {KEY: "${{ secrets.KEY }}", TWO: "${{ secrets.TWO }}"}
                    run: |
                      echo "has $KEY"; echo "$TWO"; echo "before made"
                      echo "::add-mask::made"; echo "after made ::"
                      echo "::error::of $KEY"
                      echo "sum $KEY" >>"$GITHUB_STEP_SUMMARY"
                      echo "key=$KEY" >>"$GITHUB_OUTPUT"; echo "fine=yes" >>"$GITHUB_OUTPUT"
                      test "$KEY" = s3c"ret"
            """
        )
        job = run.job("one")
        assert job.result == "success"
        assert "has ***\n***\n***\nbefore made\n::add-mask::***\nafter *** ::\n" in job.log
        assert job.annotations[0].message == "of ***"
        assert job.summary == "sum ***\n"
        assert job.outputs == {"fine": "yes"}
        assert "may contain secret" in job.annotations[1].message

    def test_do_not_reach_a_fork_and_its_token_only_reads(self, place: Place) -> None:
        workflow = """
            on: pull_request
            permissions: {contents: write, pull-requests: write}
            jobs:
              one:
                runs-on: ubuntu-latest
                steps: [{id: a, run: 'test -n "$KEY"', env: {KEY: "${{ secrets.KEY }}"}}]
            """
        place.github.secrets = {"KEY": "s3cret"}
        own = place.open_change(workflow)
        inside = place.github.run(WORKFLOW, "pull_request", own).job("one")
        assert inside.result == "success"
        assert inside.permissions["contents"] == "write"
        fork = place.open_change(workflow, head_repository=8)
        outside = place.github.run(WORKFLOW, "pull_request", fork).job("one")
        assert outside.result == "failure"
        assert set(outside.permissions.values()) == {"read"}

    def test_of_an_environment_are_for_its_jobs(self, place: Place) -> None:
        place.github.environments = {"production": {"secrets": {"KEY": "p"}, "vars": {"V": "w"}}}
        run = place.push(
            """
            on: push
            jobs:
              out: {runs-on: u, steps: [{id: a, run: 'echo "${{ secrets.KEY }}${{ vars.V }}."'}]}
              in:
                runs-on: u
                environment: {name: production, url: "https://x/${{ steps.a.outputs.n }}"}
                steps: [{id: a, run: 'echo "${{ vars.V }}"; echo n=4 >>"$GITHUB_OUTPUT"'}]
            """
        )
        assert run.job("out").step("a").log == ".\n"
        assert run.job("in").step("a").log == "w\n"
        assert run.job("in").environment == Environment("production", "https://x/4")


class TestJobs:
    def test_are_admitted_with_what_they_ask_for(self, place: Place) -> None:
        asked: list[Admission] = []

        def admit(one: Admission) -> str | None:
            asked.append(one)
            return None if one.environment == "production" else "tok-1"

        run = place.push(
            """
            on: push
            permissions: {contents: read}
            concurrency: {group: "all-${{ github.ref }}", cancel-in-progress: true}
            jobs:
              plain:
                runs-on: ubuntu-latest
                timeout-minutes: 5
                steps: [{id: a, run: 'echo "${{ secrets.GITHUB_TOKEN == github.token }}"'}]
              deploy:
                runs-on: ubuntu-latest
                environment: production
                concurrency: "to-${{ github.event_name }}"
                permissions: {contents: write, statuses: write, issues: none}
                steps: [{run: echo never}]
              nothing: {needs: plain, permissions: {}, runs-on: u, steps: [{run: true}]}
            """,
            admit=admit,
        )
        rights = {"metadata": "read", "contents": "write", "statuses": "write"}
        assert {one.job: one.permissions for one in asked} == {
            "plain": {"metadata": "read", "contents": "read"},
            "deploy": rights,
            "nothing": {"metadata": "read"},
        }
        assert run.concurrency == Concurrency("all-refs/heads/main", cancel_in_progress=True)
        assert run.job("deploy").concurrency == Concurrency("to-push", cancel_in_progress=False)
        assert run.job("deploy").result == "failure"
        assert run.job("deploy").steps == []
        assert run.job("plain").step("a").log == "true\n"
        assert run.job("plain").timeout_minutes == 5

    @pytest.mark.parametrize(("usual", "level"), [("read", "read"), ("write", "write")])
    def test_without_permissions_have_those_of_the_repository(
        self, place: Place, usual: str, level: str
    ) -> None:
        place.github.default_permissions = usual
        run = place.steps("- run: true")
        assert run.job("one").permissions["contents"] == level
        assert run.job("one").permissions.get("statuses") == (None if usual == "read" else "write")

    def test_end_when_the_test_does(self, place: Place) -> None:
        def admit(one: Admission) -> str:
            raise ZeroDivisionError(one.job)

        with pytest.raises(ZeroDivisionError, match="one"):
            place.push(job("- run: true"), admit=admit)

    @pytest.mark.parametrize(
        ("labels", "kind"), [("ubuntu-24.04", "github-hosted"), ("[self-hosted, x]", "self-hosted")]
    )
    def test_have_a_machine_of_the_kind_asked_for(
        self, place: Place, labels: str, kind: str
    ) -> None:
        step = "- {id: a, run: 'echo ${{ runner.environment }} $RUNNER_ENVIRONMENT'}"
        run = place.push(job(step).replace("ubuntu-latest", labels))
        assert run.job("one").step("a").log == f"{kind} {kind}\n"

    @pytest.mark.parametrize(
        "key",
        [
            "container: debian",
            "services: {a: {image: b}}",
            "continue-on-error: true",
        ],
    )
    def test_that_the_harness_does_not_know_are_no_test_at_all(
        self, place: Place, key: str
    ) -> None:
        with pytest.raises(HarnessError, match="does not know"):
            place.push(job("- run: true", key))


def test_what_the_runner_needs_is_pinned_and_from_no_named_registry() -> None:
    lock = json.loads((RUNNER / "package-lock.json").read_text())["packages"]
    assert [name for name, one in lock.items() if "resolved" in one] == []
    assert [name for name, one in lock.items() if name and "integrity" not in one] == []
    assert [name for name, one in lock.items() if one.get("hasInstallScript")] == []
    wanted = {**lock[""]["dependencies"], **lock[""]["optionalDependencies"]}
    assert {name: lock[f"node_modules/{name}"]["version"] for name in wanted} == wanted


class TestEvents:
    def test_a_workflow_with_errors_does_not_start(self, place: Place) -> None:
        run = place.push("on: push\njobs: {a: {runs-on: u, steps: [{run: a, surprise: b}]}}")
        assert run.conclusion == "startup_failure"
        assert "Unexpected value 'surprise'" in run.errors[0]

    @pytest.mark.parametrize(
        ("listens", "is_started"),
        [
            ("pull_request", True),
            ("{pull_request: {types: [closed]}}", False),
            ("{pull_request: {branches: [main]}}", True),
            ("{pull_request: {branches: ['release/**']}}", False),
            ("push", False),
        ],
    )
    def test_filters_decide(self, place: Place, listens: str, is_started: bool) -> None:
        payload = place.open_change(job("- run: true").replace("on: push", f"on: {listens}"))
        run = place.github.run(WORKFLOW, "pull_request", payload)
        assert run.errors == []
        assert run.triggered is is_started
        assert (run.reason is None) is is_started

    def test_a_type_that_is_not_usual_has_to_be_named(self, place: Place) -> None:
        payload = place.open_change(job("- run: true").replace("on: push", "on: pull_request"))
        run = place.github.run(WORKFLOW, "pull_request", {**payload, "action": "labeled"})
        assert run.reason == "pull_request: type labeled is not listened to"

    def test_a_pull_request_runs_on_its_merge(self, place: Place) -> None:
        step = "- {id: a, run: 'echo $GITHUB_REF $GITHUB_BASE_REF $GITHUB_HEAD_REF $GITHUB_ACTOR'}"
        payload = place.open_change(job(step).replace("on: push", "on: pull_request"))
        run = place.github.run(WORKFLOW, "pull_request", payload)
        assert run.sha == place.git("rev-parse", "refs/pull/5/merge", at=place.bare)
        assert run.job("one").step("a").log == "refs/pull/5/merge main better mona\n"

    def test_the_run_of_another_workflow_is_known_by_name(self, place: Place) -> None:
        listens = "on: {workflow_run: {workflows: [Assent], types: [completed]}}"
        sha = place.commit({WORKFLOW: job("- run: true").replace("on: push", listens)})
        for name, is_started in [("Assent", True), ("Other", False)]:
            payload = {
                "action": "completed",
                "workflow_run": {"name": name, "head_branch": "better"},
                "repository": REPOSITORY,
            }
            run = place.github.run(WORKFLOW, "workflow_run", payload)
            assert run.triggered is is_started
            assert run.sha == sha

    def test_inputs_of_a_dispatch_are_checked(self, place: Place) -> None:
        workflow = job(
            "- {id: a, run: 'echo \"${{ inputs.stage }} ${{ inputs.dry == true }} "
            "${{ github.event.inputs.version }}\"'}"
        ).replace(
            "on: push\n",
            "on: {workflow_dispatch: {inputs: {version: {required: true}, dry: {type: boolean},"
            " stage: {type: choice, options: [staging, production], default: staging}}}}\n",
        )
        place.commit({WORKFLOW: workflow})

        def dispatch(**inputs: str) -> tuple[str | None, list[str], str]:
            payload = {"inputs": inputs, "repository": REPOSITORY}
            run = place.github.run(WORKFLOW, "workflow_dispatch", payload)
            return run.conclusion, run.errors, run.log

        ended, errors, log = dispatch(version="v1", dry="true")
        assert (ended, errors) == ("success", [])
        assert "staging true v1\n" in log
        assert "Required input 'version'" in dispatch()[1][0]
        assert "not in the list" in dispatch(version="v1", stage="moon")[1][0]
        assert "Unexpected inputs" in dispatch(version="v1", extra="x")[1][0]

    def test_a_dispatch_has_the_usual_inputs_in_its_event(self, place: Place) -> None:
        inputs = "{stage: {default: staging}, dry: {type: boolean, default: true}}"
        listens = f"on: {{workflow_dispatch: {{inputs: {inputs}}}}}"
        step = "- {id: a, run: echo $ALL, env: {ALL: '${{ toJSON(github.event.inputs) }}'}}"
        place.commit({WORKFLOW: job(step).replace("on: push", listens)})
        run = place.github.run(WORKFLOW, "workflow_dispatch", {"repository": REPOSITORY})
        assert run.job("one").step("a").log == '{ "stage": "staging", "dry": "true" }\n'

    def test_a_schedule_is_known_by_its_line(self, place: Place) -> None:
        listens = "on: {schedule: [{cron: '0 4 * * 1'}]}"
        place.commit({WORKFLOW: job("- run: true").replace("on: push", listens)})
        for line, is_started in [("0 4 * * 1", True), ("5 5 5 5 5", False)]:
            payload = {"schedule": line, "repository": REPOSITORY}
            assert place.github.run(WORKFLOW, "schedule", payload).triggered is is_started

    def test_a_group_of_the_merge_queue_runs_on_its_own_branch(self, place: Place) -> None:
        listens = "on: {merge_group: {branches: [main]}}"
        sha = place.commit({WORKFLOW: job("- run: true").replace("on: push", listens)})
        ref = f"refs/heads/gh-readonly-queue/main/pr-5-{sha}"
        group = {"head_ref": ref, "head_sha": sha, "base_ref": "refs/heads/main"}
        payload = {"action": "checks_requested", "merge_group": group, "repository": REPOSITORY}
        run = place.github.run(WORKFLOW, "merge_group", payload)
        assert (run.triggered, run.sha) == (True, sha)


INNER = """
    name: Inner
    description: Says a word twice
    inputs:
      word: {description: A word, default: "${{ github.ref_name }}"}
      unused: {description: Nothing}
    outputs:
      twice: {description: Both, value: "${{ steps.say.outputs.twice }}"}
    runs:
      using: composite
      steps:
        - id: say
          shell: bash
          env: {WORD: "${{ inputs.word }}"}
          run: |
            echo "twice=$WORD$WORD$OUTER" >>"$GITHUB_OUTPUT"
            echo "$(basename "$GITHUB_ACTION_PATH") of ${{ github.action_path }}"
    """
OUTER = """
    name: Outer
    description: Uses the other
    inputs:
      word: {description: A word, required: true}
      fail: {description: Whether it fails, default: "false"}
    outputs:
      four: {description: All, value: "${{ steps.b.outputs.twice }}${{ steps.usual.outcome }}"}
    runs:
      using: composite
      steps:
        - {id: a, uses: acme/tools/inner@v1, with: {word: "${{ inputs.word }}"}, env: {OUTER: "!"}}
        - {id: b, uses: acme/tools/inner@v1, with: {Word: "${{ steps.a.outputs.twice }}"}}
        - {id: bad, if: inputs.fail == 'true', shell: bash, run: exit 7}
        - {id: usual, shell: bash, run: "pwd", working-directory: sub}
        - {id: rescue, if: failure(), shell: bash, run: "echo rescued"}
    """


class TestActions:
    @pytest.fixture
    def place(self, place: Place) -> Place:
        tools = place.root / "tools"
        for name, text in [("inner", INNER), ("outer", OUTER)]:
            (tools / name).mkdir(parents=True)
            (tools / name / "action.yml").write_text(text)
        place.github.actions["acme/tools"] = tools
        return place

    def test_pass_inputs_down_and_outputs_up(self, place: Place) -> None:
        run = place.push(
            """
            on: push
            jobs:
              one:
                runs-on: ubuntu-latest
                outputs: {all: "${{ steps.outer.outputs.four }}"}
                steps:
                  - run: mkdir sub
                  - {id: outer, uses: acme/tools/outer@v1, with: {word: a}, env: {LEVEL: x}}
                  - {id: inner, uses: acme/tools/inner@v1}
                  - {id: outside, run: 'echo "${{ steps.say.outputs.twice }}$OUTER."'}
            """
        )
        job = run.job("one")
        assert job.outputs == {"all": "aa!aa!success"}
        assert job.step("usual").log == f"{job.workspace}/sub\n"
        assert job.step("inner").outputs == {"twice": "mainmain"}
        inside = job.step("inner").steps[0].log
        assert inside.startswith("inner of ")
        assert inside.strip().endswith("/_actions/acme/tools/v1/inner")
        # What is inside an action stays there.
        assert job.step("outside").log == ".\n"

    def test_fail_with_their_steps_and_know_only_their_own_status(self, place: Place) -> None:
        run = place.steps(
            """
            - run: mkdir sub; exit 1
            - id: outer
              if: always()
              uses: acme/tools/outer@v1
              with: {word: a, fail: "true"}
            - {id: again, if: always(), uses: acme/tools/outer@v1, with: {word: a}}
            """
        )
        job = run.job("one")
        outcomes = {one.id: one.outcome for one in job.step("outer").steps}
        assert outcomes == {
            "a": "success",
            "b": "success",
            "bad": "failure",
            "usual": "skipped",
            "rescue": "success",
        }
        assert job.step("outer").outcome == "failure"
        assert job.step("outer").outputs["four"] == "aa!aa!skipped"
        assert job.step("again").outcome == "success"

    @pytest.mark.parametrize(
        ("step", "complaint"),
        [
            ("{uses: acme/tools/inner@v1, with: {wrod: a}}", "Unexpected input 'wrod'"),
            ("{uses: acme/unknown@v1}", "has not said where the action acme/unknown@v1 is"),
            ("{uses: acme/tools/none@v1}", "Can't find 'action.yml'"),
            ("{uses: ./mine}", "Did you forget to run actions/checkout"),
            ("{uses: 'docker://debian'}", "does not run Docker actions"),
        ],
    )
    def test_that_cannot_be_used_fail_the_step(
        self, place: Place, step: str, complaint: str
    ) -> None:
        run = place.steps(f"- {step}")
        assert run.conclusion == "failure"
        assert complaint in run.job("one").annotations[0].message

    def test_of_the_workspace_are_there_after_a_checkout(self, place: Place) -> None:
        run = place.steps(
            """
            - uses: actions/checkout@v5
            - {id: mine, uses: ./mine, with: {word: w}}
            """,
            {"mine/action.yml": INNER},
        )
        assert run.job("one").step("mine").outputs == {"twice": "ww"}

    def test_use_their_own_neighbours(self, place: Place) -> None:
        folder = place.root / "tools/neighbour"
        folder.mkdir()
        (folder / "action.yml").write_text(
            "name: N\ndescription: N\nruns: {using: composite, steps: [{uses: $/inner}]}\n"
        )
        run = place.steps("- {id: n, uses: acme/tools/neighbour@v1}")
        assert "inner of" in run.job("one").step("n").steps[0].steps[0].log

    def test_with_errors_fail_the_step(self, place: Place) -> None:
        broken = INNER.replace("${{ inputs.word }}", "${{ secrets.KEY }}")
        run = place.steps(
            "- uses: actions/checkout@v5\n- uses: ./mine", {"mine/action.yml": broken}
        )
        assert "Unrecognized named-value: 'secrets'" in run.job("one").annotations[-1].message

    def test_of_javascript_keep_state_for_their_end(self, place: Place) -> None:
        folder = place.root / "tools/js"
        folder.mkdir()
        (folder / "action.yml").write_text(
            "name: JS\ndescription: JS\ninputs: {the word: {description: W, default: d}}\n"
            "runs: {using: node24, main: a.mjs, post: b.mjs}\n"
        )
        (folder / "a.mjs").write_text(
            'import { appendFileSync } from "node:fs";\n'
            'appendFileSync(process.env.GITHUB_STATE, "kept=" + process.env.INPUT_THE_WORD);\n'
        )
        (folder / "b.mjs").write_text("console.log('end of', process.env.STATE_kept);\n")
        run = place.steps(
            """
            - {uses: acme/tools/js@v1, with: {the word: first}}
            - {uses: acme/tools/js@v1}
            - run: exit 1
            """
        )
        assert [one.log for one in run.job("one").posts] == ["end of d\n", "end of first\n"]
