"""Slash commands on a pull request: what is heard, what is answered, and that nobody decides so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.github import World, outputs, results
from tests.e2e.project import Ran, new_project
from tests.github.accounts import Account
from tests.github.pulls import Comment, Pull
from tests.github.runs import Run as Started
from tests.workflows.results import Run

RIGHTS = {"actions": "read", "contents": "read", "pull_requests": "write", "statuses": "read"}


class Talk:
    """A pull request of ada whose bundle is shown, and what people type there."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.github = world.github
        self.pull: Pull = world.propose(0.8)
        self.trained, _ = world.train(self.pull)
        self.bundle = outputs(world.follow(self.trained), "review")["bundle"]
        self.github.repository.is_private = True  # where a token can do least
        self.folder = world.clone("answering")

    @property
    def line(self) -> str:
        return f"/assent approve churn {self.bundle}"

    def type(self, by: Account, text: str) -> Comment:
        self.github.tick()
        comment = self.pull.comment(by, text)
        self.github.tick()
        return comment

    def started(self, comment: Comment) -> Started:
        return self.github.start_run(
            event="issue_comment",
            actor=comment.author,
            path=".github/workflows/assent-reply.yml",
            name="assent-reply",
        )

    def play(self, comment: Comment, /, **changes: Any) -> Run:
        """`assent-reply.yml`, in the harness."""
        payload = {**self.world.events.issue_comment(comment), **changes}
        return self.world.site.play(self.started(comment), payload)

    def reply(self, comment: Comment, *words: str, code: int = 0) -> Ran:
        """What the workflow runs, without the harness."""
        payload = self.world.events.issue_comment(comment)
        token = self.github.workflow_token(**RIGHTS)
        env = self.world.server.write_event(
            self.world.root, self.started(comment), payload, GITHUB_TOKEN=token
        )
        return self.world.run(self.folder, "reply", *words, code=code, env=env)

    def said(self, by: Account, text: str) -> str:
        """The answer to a comment, as it is read."""
        comment = self.type(by, text)
        self.reply(comment)
        answer = self.answer(comment)
        assert answer is not None
        return answer

    def answer(self, comment: Comment) -> str | None:
        """Our answer to a comment. There is never more than one."""
        sign = f"<!-- assent:answer={comment.id} -->\n\n"
        found = [one.body for one in self.world.comments(self.pull) if one.body.startswith(sign)]
        assert len(found) <= 1
        return found[0].removeprefix(sign).replace("\N{NO-BREAK SPACE}", " ") if found else None


@pytest.fixture(scope="module")
def _talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    with World(tmp_path_factory.mktemp("talk")) as world:
        yield Talk(world)


@pytest.fixture
def talk(_talk: Talk) -> Iterator[Talk]:
    """Nothing is ever written to the ledger, and nothing is shown.

    What people said is gone afterwards: tests run in any order, and an opinion counts until there
    is a later one.
    """
    before = len(_talk.world.server.writes)
    comments, reviews = list(_talk.pull.comments), list(_talk.pull.reviews)
    yield _talk
    _talk.pull.comments[:], _talk.pull.reviews[:] = comments, reviews
    written = {one.path for one in _talk.world.server.writes[before:] if one.status < 300}
    assert written <= {"/repos/acme/churn/issues/7/comments"}
    assert _talk.world.log() == []


@pytest.mark.threat(21)
def test_an_approval_is_answered_at_once_and_recorded_by_what_runs_next(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        talk = Talk(world)
        comment = talk.type(world.bob, f"Good.\n\n{talk.line[:-40]}\n")
        run = talk.play(comment)
        assert results(run) == {"reply": "success"}, run.log
        rights = run.job("reply").permissions
        granted = {name.replace("-", "_"): level for name, level in rights.items()}
        assert granted == {**RIGHTS, "metadata": "read"}
        answer = talk.answer(comment)
        assert answer is not None
        assert "✅ This approval counts." in answer
        assert f"is `{talk.bundle}`, shown at `{talk.pull.head_sha[:12]}`." in answer
        assert "To register it counts: is named by the policy" in answer
        assert "To promote to `production` it does not count: is none of" in answer
        assert "nothing was written to the ledger" in answer
        assert world.log() == []
        assert outputs(run, "reply")["comment"].startswith(world.server.where.web)
        assert "This approval counts." in run.job("reply").summary

        again = talk.play(comment)
        assert results(again) == {"reply": "success"}
        assert talk.answer(comment) == answer

        merged = world.merge(talk.pull)
        assert merged.conclusion == "success", merged.log
        assert [line.split()[0] for line in world.log()] == ["approve", "register"]


@pytest.mark.threat(21)
@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("Looks good to me; see /assent help", {}),
        ("/assent help", {"action": "edited"}),
        ("/assent help", {"issue": {"number": 7}}),
        ("/assent help", {"comment": {"id": 1, "body": "/assent help", "user": {"type": "Bot"}}}),
    ],
)
def test_the_workflow_does_not_even_begin(talk: Talk, text: str, changes: dict[str, Any]) -> None:
    run = talk.play(talk.type(talk.world.bob, text), **changes)
    assert run.errors == []
    assert not run.triggered or results(run) == {"reply": "skipped"}


@pytest.mark.threat(21)
def test_somebody_without_the_role_does_not_count(talk: Talk) -> None:
    mallory = talk.github.user("mallory", role="read")
    answer = talk.said(mallory, f"{talk.line}\n\n/assent explain")
    assert "This approval does not count." in answer
    assert "To register it does not count: is none of bob, grace" in answer
    assert "✅ yes" not in answer
    assert "waits for 1 approval" in answer


@pytest.mark.threat(1)
def test_the_author_does_not_count(talk: Talk) -> None:
    answer = talk.said(talk.world.ada, talk.line)
    assert "This approval does not count." in answer
    assert "made this change; the author's approval does not count" in answer


@pytest.mark.threat(21)
@pytest.mark.parametrize(
    "text",
    ["> {}", "```\n{}\n```", "    {}", "I would never\n{}", "<!--\n{}\n-->", "- {}", "`{}`"],
)
def test_what_is_quoted_or_code_is_neither_answered_nor_heard(talk: Talk, text: str) -> None:
    comment = talk.type(talk.world.sam, text.format(talk.line))
    assert "nothing was asked" in talk.reply(comment).stdout
    assert talk.answer(comment) is None
    assert "`sam`" not in talk.said(talk.world.grace, "/assent explain")


@pytest.mark.threat(21)
def test_an_edited_comment_is_neither_answered_nor_heard(talk: Talk) -> None:
    comment = talk.type(talk.world.sam, "Hello.")
    comment.edit(talk.line)
    assert talk.reply(comment, "--json").json == {
        "asked": None,
        "answers": [],
        "text": "",
        "address": None,
    }
    assert talk.answer(comment) is None
    assert "`sam`" not in talk.said(talk.world.grace, "/assent explain")


@pytest.mark.threat(21)
def test_other_digits_stand_for_nothing(talk: Talk) -> None:
    answer = talk.said(talk.world.bob, f"/assent approve churn sha256:{'0' * 12}")
    assert f"`sha256:{'0' * 12}` stands for no bundle that was shown here." in answer
    assert "This approval does not count." in answer


@pytest.mark.threat(21)
def test_without_digits_it_is_no_approval(talk: Talk) -> None:
    for text in ("/assent approve churn", "/assent approve churn v1", "/assent approve"):
        answer = talk.said(talk.world.bob, text)
        assert "### Commands" in answer
        assert "This approval" not in answer


@pytest.mark.threat(4)
def test_a_later_opinion_is_the_one_that_is_heard(talk: Talk) -> None:
    comment = talk.type(talk.world.grace, talk.line)
    talk.pull.review(talk.world.grace, "CHANGES_REQUESTED", body="wait")
    talk.github.tick()
    talk.reply(comment)
    answer = talk.answer(comment)
    assert answer is not None
    assert "there is a later opinion of the same person: changes requested" in answer
    assert "This approval does not count." in answer
    assert "This approval counts." in talk.said(talk.world.grace, talk.line)


def test_help_names_the_models(talk: Talk) -> None:
    answer = talk.said(talk.world.ada, "/assent what is this?")
    assert "Models: `churn`" in answer
    assert "nothing was written" not in answer


def test_a_model_that_there_is_not(talk: Talk) -> None:
    answer = talk.said(talk.world.bob, f"/assent approve fraud {talk.bundle}\n/assent explain no")
    assert answer.count("This could not be judged.") == 2
    assert "there is none of this name" in answer
    assert "churn" in answer


def test_of_many_commands_the_first_are_answered_once_each(talk: Talk) -> None:
    lines = [f"/assent explain model-{number}" for number in range(30)]
    comment = talk.type(talk.world.bob, "\n".join(["/assent help", *lines, "/assent help"]))
    found = talk.reply(comment, "--json").json
    assert [one["word"] for one in found["answers"]] == ["help", *["explain"] * 9]
    assert "only the first 10 commands of a comment are answered." in found["text"]


def test_what_could_not_be_read_is_no_answer_and_is_tried_again(talk: Talk) -> None:
    comment = talk.type(talk.world.bob, talk.line)
    talk.world.server.faults.answer("GET", "*/collaborators/*/permission", b"{}", status=403)
    assert "GitHub answered 403" in talk.reply(comment, code=3).stderr
    assert talk.answer(comment) is None
    talk.reply(comment)
    assert talk.answer(comment) is not None


@pytest.mark.threat(3)
def test_other_bytes_at_the_same_revision_are_another_bundle(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        talk = Talk(world)
        comment = talk.type(world.bob, talk.line)
        world.github.repository.is_private = False
        talk.trained.rerun(world.ada)
        world.play(talk.trained, world.events.pull_request(talk.pull))
        newer = outputs(world.follow(talk.trained), "review")["bundle"]
        assert newer != talk.bundle
        talk.reply(comment)
        answer = talk.answer(comment)
        assert answer is not None
        assert f"is `{talk.bundle}`, shown at `{talk.pull.head_sha[:12]}`." in answer
        assert "This approval does not count." in answer
        assert f"given for `{talk.bundle[:19]}`, the candidate is `{newer[:19]}`" in answer


@pytest.mark.threat(21)
@pytest.mark.threat(2)
def test_the_head_moved_after_the_command_was_typed(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        talk = Talk(world)
        old = talk.pull.head_sha
        comment = talk.type(world.bob, talk.line)
        talk.pull.push(files={"params.json": '{"accuracy": 0.9}\n'})
        talk.reply(comment)
        answer = talk.answer(comment)
        assert answer is not None
        assert f"is `{talk.bundle}`, shown at `{old[:12]}`." in answer
        assert "This approval does not count." in answer
        assert f"`#7` is at `{talk.pull.head_sha[:12]}`" in answer
        assert "is shown yet" in answer
        said = talk.said(world.grace, "/assent explain")
        assert "no bundle of it is shown at" in said

        world.github.repository.is_private = False
        newer = outputs(world.review(talk.pull, "synchronize"), "review")["bundle"]
        world.github.repository.is_private = True
        late = talk.said(world.bob, talk.line)
        assert f"is `{talk.bundle}`, shown at `{old[:12]}`." in late
        assert "This approval does not count." in late
        assert "is shown yet" not in late
        talk.bundle = newer
        assert "✅ This approval counts." in talk.said(world.bob, talk.line)
        assert world.log() == []


def test_on_a_laptop_nothing_is_asked(tmp_path: Path) -> None:
    project = new_project(tmp_path / "place")
    assert "nothing was asked" in project.run("reply").stdout
