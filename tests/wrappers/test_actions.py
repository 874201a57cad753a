"""Wrappers are tables: what an action takes and gives is what its verb takes and gives."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Option
from docs import actions
from docs.actions import ACTIONS
from docs.wrappers import WITHOUT, inputs

from assent.cli import (
    approve,
    bundle,
    evaluate,
    published,
    pull,
    reply,
    resolve,
    retrain,
    review,
    train,
    verify,
)
from assent.cli.main import VERBS
from assent.cli.published import OUTPUTS, Published
from assent.core.approval import Approvals
from assent.core.digest import digest_of
from assent.core.evidence import Evidence
from assent.core.verdict import Verdict
from assent.judging.review import ReviewResult
from assent.making.evaluation import EvaluateResult
from assent.making.packing import BundleResult
from assent.making.training import TrainResult
from assent.recording.outcome import Decided
from assent.verbs.approve import ApproveResult
from assent.verbs.pull import PullResult
from assent.verbs.reply import ReplyResult
from assent.verbs.resolve import ResolveResult
from assent.verbs.retrain import RetrainResult
from assent.verbs.verify import VerifyResult
from tests.report import samples

ROOT = Path(__file__).parents[2]
FILES = actions.files()
EXPRESSION = re.compile(r"\$\{\{ inputs\.([a-z-]+) \}\}")
DIGEST = digest_of(b"x")
DECIDED = Decided(model="churn", sentence="done", verdict=Verdict(findings=()), was_so=True)

every_action = pytest.mark.parametrize("verb", ACTIONS)


def published_results() -> dict[str, Callable[[], Published]]:
    """What each verb publishes of some result."""
    shown = samples.blocked()
    here = Path("report.html")
    return {
        "train": lambda: train.publish(
            TrainResult(model="churn", inputs_digest=DIGEST, model_digest=DIGEST, step=None)
        ),
        "evaluate": lambda: evaluate.publish(
            EvaluateResult(
                model="churn",
                model_digest=DIGEST,
                evidence=Evidence(model="churn", inputs_digest=DIGEST),
            )
        ),
        "bundle": lambda: bundle.publish(
            BundleResult(
                model="churn",
                bundle=DIGEST,
                model_digest=DIGEST,
                inputs_digest=DIGEST,
                files=1,
                size_bytes=1,
                new_bytes=1,
            )
        ),
        "review": lambda: review.publish(
            ReviewResult(
                decision=shown.verdict.decision,
                report=shown,
                comment="",
                html=here,
                json=here,
                junit=here,
            )
        ),
        "approve": lambda: approve.publish(
            ApproveResult(
                model="churn",
                bundle=DIGEST,
                version=None,
                heard=(),
                approvals=Approvals(required=1, of=("*",), heard=()),
                stages={},
                findings=(),
                recorded=(),
            )
        ),
        "reply": lambda: reply.publish(ReplyResult(text="**explain churn**", address="")),
        "retrain": lambda: retrain.publish(
            RetrainResult(model="churn", sentence="better", is_better=True, metric="accuracy")
        ),
        "register": lambda: published.decided(DECIDED),
        "promote": lambda: published.decided(DECIDED),
        "rollback": lambda: published.decided(DECIDED),
        "resolve": lambda: resolve.publish(
            ResolveResult(model="churn", version=1, bundle=DIGEST, model_digest=DIGEST, as_of=0)
        ),
        "pull": lambda: pull.publish(
            PullResult(
                model="churn",
                version=1,
                bundle=DIGEST,
                model_digest=DIGEST,
                path=here,
                files=1,
                size_bytes=1,
                is_new=True,
            )
        ),
        "verify": lambda: verify.publish(
            VerifyResult(models=("churn",), entries=1, versions=1, blobs=1, faults=())
        ),
    }


def action(verb: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / f"actions/{verb}/action.yml").read_text())
    return loaded


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_made_is_up_to_date(path: Path) -> None:
    assert path.read_text("utf-8") == FILES[path], "run python -m docs.generate"


def test_there_is_no_action_that_nobody_makes() -> None:
    there = {path.parent.name for path in (ROOT / "actions").glob("*/action.yml")}
    assert there == {*ACTIONS, "setup"}
    assert set(ACTIONS) <= set(VERBS)


@every_action
def test_every_option_and_argument_is_an_input_and_nothing_else_is(verb: str) -> None:
    command = importlib.import_module(f"assent.cli.{verb}").command
    names = {
        max(one.opts, key=len).removeprefix("--") if isinstance(one, Option) else one.name
        for one in command.params
    }
    without = {name for name in names if name in WITHOUT or f"{verb} --{name}" in WITHOUT}
    token = {"token"} if ACTIONS[verb].has_token else set()
    assert set(action(verb)["inputs"]) == (names - without) | token


def test_every_exception_is_still_one() -> None:
    """And has a reason."""
    for name, reason in WITHOUT.items():
        verb, _, option = name.rpartition(" --")
        command = importlib.import_module(f"assent.cli.{verb or 'review'}").command
        assert f"--{option}" in {text for one in command.params for text in one.opts}
        assert len(reason.split()) > 2


@every_action
def test_an_action_is_one_constant_command_line_and_a_table(verb: str) -> None:
    runs = action(verb)["runs"]
    [step] = runs["steps"]
    assert runs["using"] == "composite"
    assert step["run"] == f'"$GITHUB_ACTION_PATH/../setup/run.sh" {verb}'
    given = {name: value for name, value in step["env"].items() if name != "GITHUB_TOKEN"}
    assert given == {one.variable: f"${{{{ inputs.{one.name} }}}}" for one in inputs(verb)}
    for value in step["env"].values():
        found = EXPRESSION.fullmatch(value)
        assert found is not None
        assert found[1] in action(verb)["inputs"]
    assert ("GITHUB_TOKEN" in step["env"]) is ACTIONS[verb].has_token


@pytest.mark.parametrize("verb", ["train", "evaluate", "bundle"])
@pytest.mark.threat(17)
def test_what_runs_the_code_of_a_change_gets_no_token(verb: str) -> None:
    text = (ROOT / f"actions/{verb}/action.yml").read_text()
    assert "token" not in text.lower()
    assert "secrets" not in text


@every_action
def test_the_outputs_are_those_that_the_verb_publishes(verb: str) -> None:
    outputs = action(verb).get("outputs", {})
    assert set(outputs) == set(published_results()[verb]().outputs) == set(ACTIONS[verb].outputs)
    for name, output in outputs.items():
        assert output["value"] == f"${{{{ steps.assent.outputs.{name} }}}}"
        assert output["description"] == OUTPUTS[name]


def test_every_summary_says_which_model_it_is_about() -> None:
    for verb, make in published_results().items():
        assert "churn" in make().summary, verb


@every_action
def test_required_inputs_are_required_and_all_others_may_be_empty(verb: str) -> None:
    required = {one.name for one in inputs(verb) if one.is_required}
    for name, given in action(verb)["inputs"].items():
        assert given["required"] is (name in required)
        assert ("default" in given) is (name not in required)


def documented() -> list[tuple[str, str, dict[str, Any], dict[str, str]]]:
    """Every step with an action of Assent in the documents: page, verb, inputs, permissions."""
    found = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        for match in re.finditer(r"^```yml\n(.*?)^```", page.read_text(), re.S | re.M):
            block = yaml.safe_load(match[1])
            for step in block.get("steps", []):  # others are of GitLab
                name = re.fullmatch(rf"{actions.OWNER}/([a-z]+)@{actions.REVISION}", step["uses"])
                assert name is not None, step
                found.append((page.name, name[1], step.get("with", {}), block["permissions"]))
    return found


def test_every_action_has_an_example() -> None:
    assert {verb for _, verb, _, _ in documented()} == {*ACTIONS, "setup"}


@pytest.mark.parametrize(("page", "verb", "given", "permissions"), documented())
def test_every_example_gives_what_the_action_takes(
    page: str, verb: str, given: dict[str, str], permissions: dict[str, str]
) -> None:
    if verb == "setup":
        assert permissions == {"contents": "read"}
        return
    known = {one.name: one for one in inputs(verb)}
    assert set(given) <= set(known)
    assert {one.name for one in known.values() if one.is_required} <= set(given)
    assert permissions == ACTIONS[verb].permissions
