"""Whose clock decides, with clocks that differ by an hour and by ten years: here and on forges."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assent.core.entry import Draft, Entry, Kind
from assent.core.verdict import Decision
from assent.errors import OutsideError
from assent.forges.github.forge import GitHubForge
from assent.forges.gitlab.forge import GitLabForge
from assent.ports import Forge
from assent.recording.outcome import Decided
from assent.stores.directory import DirectoryStore
from assent.verbs.explain import explain
from assent.verbs.note import note
from assent.verbs.promote import promote
from assent.verbs.timeline import timeline
from assent.verbs.verify import verify
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.builders import new_clone, new_repository, person, run_git
from tests.compat.make_golden import store_bundle
from tests.effort import more_in_soak
from tests.forges.gitlab.graphql import GraphServer
from tests.github.server import Server
from tests.standin.server import StandIn

HOUR = 3600
DECADE = 10 * 365 * 24 * HOUR
ERRORS = [HOUR, -DECADE, *more_in_soak(-HOUR, DECADE)]
CONFIG = """\
store: ../store
models:
  churn:
    train: python train.py
    evaluate: python evaluate.py
    inputs: [train.py]
    model: model/
    metrics: [m.json]
    gates:
      - {metric: roc_auc, min: 0.5}
    approvals: {count: 0}
    stages:
      staging: {}
      production: {after: staging, soak: 1h}
"""


@dataclass
class Team:
    """A clone with v1 registered ten minutes ago, whose machines have clocks of their own."""

    folder: Path
    server: StandIn | None
    token: str = ""
    passed_s: float = 0.0

    def wait(self, seconds: float) -> None:
        """Time passes for everybody."""
        self.passed_s += seconds
        if self.server is not None:
            self.server.ahead_s += seconds

    @property
    def time(self) -> datetime:
        """What a right clock shows."""
        return datetime.now(UTC) + timedelta(seconds=self.passed_s)

    def machine(self, error_s: float = 0.0) -> Workspace:
        """A run on a machine whose clock is so much ahead."""
        now = self.time + timedelta(seconds=error_s)
        opened = open_workspace(self.folder, environ={}, now=now, say=lambda text: None)
        return replace(opened, forge=self._forge(opened))

    def _forge(self, opened: Workspace) -> Forge:
        if self.server is None:
            return opened.forge
        make = GitHubForge if isinstance(self.server, Server) else GitLabForge
        api, checkout = self.server.url, opened.repository
        return make("acme/churn", api=api, token=self.token, checkout=checkout)

    def promote(self, stage: str, error_s: float = 0.0) -> Decided:
        return promote(self.machine(error_s), "churn", stage, version="v1")

    def apart_s(self, entry: Entry) -> float:
        """How far the date of an entry is from what a right clock shows now."""
        return abs((datetime.fromisoformat(entry.at) - self.time).total_seconds())


@pytest.fixture(params=["local", "github", "gitlab"])
def team(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Team]:
    with ExitStack() as stack:
        yield at(request.param, tmp_path, stack)


@pytest.fixture(params=["github", "gitlab"])
def hosted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Team]:
    with ExitStack() as stack:
        yield at(request.param, tmp_path, stack)


def at(where: str, place: Path, stack: ExitStack) -> Team:
    if where == "local":
        return begin(place, None)
    if where == "github":
        github = stack.enter_context(Server())
        token = github.github.personal_token(github.github.user("sam", role="write"))
        return begin(place, github, token)
    gitlab = stack.enter_context(GraphServer())
    token = gitlab.gitlab.personal_token(gitlab.gitlab.user("sam", role="maintainer"))
    return begin(place, gitlab, token)


def begin(place: Path, server: StandIn | None, token: str = "") -> Team:
    remote = new_repository(place / "remote.git", bare=True)
    folder = new_clone(remote, place / "work")
    (folder / "assent.yaml").write_text(CONFIG)
    run_git(folder, "add", "assent.yaml")
    run_git(folder, "commit", "-q", "-m", "begin")
    run_git(folder, "push", "-q", "origin", "main")
    run_git(folder, "fetch", "-q", "origin")
    team = Team(folder, server, token)
    about = store_bundle(DirectoryStore(place / "store"), 1)
    at = (team.time - timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    drafts = [Draft(kind=Kind.REGISTERED, at=at, model="churn", actor=person("a"), subject=about)]
    workspace = team.machine()
    workspace.ledger.append(workspace.ledger.read("churn"), drafts)
    assert verify(workspace, ["churn"], repair=True).exit_code == 0
    return team


@pytest.mark.threat(30)
@pytest.mark.parametrize("error", ERRORS)
def test_on_a_forge_who_has_a_wrong_clock_writes_nothing(hosted: Team, error: int) -> None:
    with pytest.raises(OutsideError) as caught:
        hosted.promote("staging", error)
    assert "ahead of" in caught.value.problem if error > 0 else "behind" in caught.value.problem
    assert "NTP" in (caught.value.hint or "")
    assert hosted.machine().ledger.read("churn").state.seq == 0
    # Whoever only reads is told by the forge's clock.
    told = explain(hosted.machine(error), "churn", name="v1", stage="production")
    right = datetime.fromisoformat(told.clock.now)
    assert abs((right - hosted.time).total_seconds()) < HOUR / 60
    assert told.clock.of in ("GitHub", "GitLab")


def test_the_date_of_an_entry_is_the_forges(hosted: Team) -> None:
    assert hosted.server is not None
    [entry] = hosted.promote("staging", error_s=240).entries
    assert hosted.apart_s(entry) < 200
    asked = [one.path for one in hosted.server.requests]
    assert hosted.machine(240).clock.ahead_s > 200
    assert len(hosted.server.requests) == len(asked) + 1  # it asks for what it needs anyhow


@pytest.mark.threat(30)
@pytest.mark.parametrize("error", ERRORS)
def test_a_soak_goes_by_the_right_clock(team: Team, error: int) -> None:
    """On a forge no machine can end it early; a wrong clock of one without a forge is believed by
    nobody else.
    """
    begun = team.promote("staging", 0 if team.server else error)
    assert begun.clock is not None
    assert ("by this machine's clock" in begun.clock.words) is (team.server is None)
    team.wait(HOUR / 2)
    if team.server is not None:
        with pytest.raises(OutsideError):
            team.promote("production", DECADE)
    waits = team.promote("production")
    assert (waits.entries, waits.verdict.decision) == ((), Decision.PENDING)
    [soak] = [one for one in waits.verdict.findings if one.rule == "after staging, soak 1h"]
    assert waits.clock is not None
    assert waits.clock.words in (soak.evidence or "")
    team.wait(HOUR / 2 + 1)
    if team.server is None:
        # Nobody waits for ten years: it counts from the next right date.
        late = team.promote("production")
        assert not late.entries
        # An hour later that date is none of the future: it counts from there.
        assert ("assent note" in late.verdict.findings[1].remedy) is (error != HOUR)
        note(team.machine(), "churn", "the soak counts from here")
        team.wait(HOUR + 1)
    [entry] = team.promote("production").entries
    assert team.apart_s(entry) < 60


@pytest.mark.threat(30)
@pytest.mark.parametrize("error", ERRORS)
def test_an_entry_with_a_bad_date_is_told_and_blocks_nothing(team: Team, error: int) -> None:
    workspace = team.machine()
    bad = Draft(
        kind=Kind.NOTED,
        at=(team.time + timedelta(seconds=error)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        model="churn",
        actor=person("b"),
        reason="x",
    )
    note(workspace, "churn", "just before")
    workspace.ledger.append(workspace.ledger.read("churn"), [bad])
    assert team.promote("staging").entries
    team.wait(2 * HOUR)
    if error == HOUR and team.server is None:
        # An hour later nobody can say which of two machines was wrong, and the next date counts.
        assert "assent note" in team.promote("production").verdict.findings[1].remedy
        note(team.machine(), "churn", "the soak counts from here")
        team.wait(2 * HOUR)
    assert team.promote("production").entries

    result = verify(team.machine(), ["churn"], repair=True)
    assert result.exit_code == 0
    moments = timeline(team.machine(), ("churn",)).moments
    said = {one.doubt.seq: one.doubt.why for one in result.odd_dates}
    assert said == {one.entry.seq: one.doubt.why for one in moments if one.doubt is not None}
    if error == HOUR and team.server is None:
        assert list(said) == [3]
    else:
        assert list(said) == [2]


def test_a_noted_event_has_a_time_of_its_own(team: Team) -> None:
    [entry] = note(team.machine(), "churn", "alert 17", happened="2020-02-29").entries
    assert (entry.happened, team.apart_s(entry) < 60) == ("2020-02-29", True)
    assert verify(team.machine(), ["churn"]).odd_dates == ()
    [newest, *_] = timeline(team.machine(), ("churn",)).moments
    assert newest.entry.happened == "2020-02-29"


def test_a_forge_that_tells_no_time_is_no_reason_to_believe_the_machine(hosted: Team) -> None:
    assert hosted.server is not None
    hosted.server.tells_time = False
    with pytest.raises(OutsideError, match=r"reading Git(Hub|Lab)'s clock"):
        hosted.promote("staging")
