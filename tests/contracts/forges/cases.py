"""The forges that keep the contract: in memory, the local stand-in, and those over HTTP against
stand-ins for their APIs. A forge is added with one function here and its name in `CASES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from assent.core.change import Change, ReviewState
from assent.forges.github.forge import GitHubForge
from assent.forges.gitlab.forge import GitLabForge
from assent.forges.local import LocalForge, Person
from assent.git import BaseBranch, Repository
from assent.ports import Forge
from assent.testing.forge import MemoryForge
from tests.builders import digest, new_clone, new_repository, notice, run_git
from tests.forges.gitlab.graphql import GraphServer
from tests.github.server import Server

Say = Callable[[str, str, ReviewState, str | None], None]
Open = Callable[[Path], AbstractContextManager["Case"]]


@dataclass(frozen=True)
class Case:
    """A forge with ada, grace and rosa; grace is one of @ml; the change `id` is open, and there is
    a branch `retrain/churn`.

    `say(bundle, by, state, reason)` is what people do: a bundle of churn is shown, and somebody
    says something to it.
    """

    forge: Forge
    id: str
    say: Say
    claims: bool = False
    """Nothing vouches for a name there."""
    has_people: bool = False
    """People have accounts of their own: each speaks for themselves, and a group that is not there
    is an error.
    """
    forgets: bool = False
    """Of what a person said it knows the newest, and not why: GitLab takes an approval away when
    its giver asks for changes.
    """
    tip: str = ""
    """The newest commit of `main`."""
    records: bool = True
    """It keeps a record of what was shown."""
    waits: tuple[str, ...] = ()
    """What waits for a review once somebody has said something."""


@contextmanager
def _memory(tmp_path: Path) -> Iterator[Case]:
    forge = MemoryForge("ada", "grace", "rosa")
    forge.groups["@ml"] = {forge.person("grace").id}
    forge.open_change = Change(id="topic", title="A change", base="main", head="a" * 40, authors=())
    yield Case(forge, "topic", _given(forge), tip="b" * 40)


@contextmanager
def _local(tmp_path: Path) -> Iterator[Case]:
    folder = new_repository(tmp_path / "work")
    tip = run_git(folder, "rev-parse", "main").strip()
    run_git(folder, "checkout", "-q", "-b", "topic")
    run_git(folder, "commit", "-q", "--allow-empty", "-m", "A change")
    repository = Repository(folder)
    people = [
        Person(name=name, email=f"{name}@example.com", groups=("ml",) if name == "grace" else ())
        for name in ("ada", "grace", "rosa")
    ]
    forge = LocalForge(
        repository,
        base=BaseBranch(repository, None),
        people=people,
        folder=tmp_path / "comments",
    )
    yield Case(forge, "topic", _given(forge), claims=True, records=False, tip=tip)


def _given(forge: Forge) -> Say:
    """Reviews given through the port, as only a forge without people's own accounts can."""
    times = iter(f"2026-01-{day:02}T00:00:00Z" for day in range(1, 28))

    def say(bundle: str, by: str, state: ReviewState, reason: str | None) -> None:
        forge.review("churn", digest(bundle), by=by, state=state, at=next(times), reason=reason)

    return say


def _clone(server: Server | GraphServer, tmp_path: Path, commit: str) -> Repository:
    repository = Repository(new_clone(server.git, tmp_path / "work"))
    repository.bring("origin", commit)
    return repository


@contextmanager
def _github(tmp_path: Path) -> Iterator[Case]:
    with Server() as server:
        yield _of_github(server, tmp_path)


def _of_github(server: Server, tmp_path: Path) -> Case:
    github = server.github
    users = {name: github.user(name, role="write") for name in ("ada", "grace", "rosa")}
    github.team("ml", users["grace"])
    github.team("nobody")
    pull = github.open_pull(users["ada"], title="A change")
    main = github.repository.tip("main")
    files = {"assent.lock": "format: assent/lock/1\n"}
    github.repository.commit(users["ada"], files=files, parent=main, branch="retrain/churn")
    app = github.bot("assent-acme[bot]")
    token = github.app_token(
        app,
        **dict.fromkeys(("contents", "members", "actions"), "read"),
        **dict.fromkeys(("pull_requests", "issues", "statuses", "deployments"), "write"),
    )
    forge = GitHubForge(
        "acme/churn",
        api=server.url,
        token=token,
        account="assent-acme[bot]",
        checkout=_clone(server, tmp_path, main),
        event="pull_request",
        payload={"pull_request": {"number": pull.number}},
    )

    def say(bundle: str, by: str, state: ReviewState, reason: str | None) -> None:
        forge.comment(notice("churn", bundle, bundle))
        github.tick()
        word = "APPROVED" if state is ReviewState.APPROVED else "CHANGES_REQUESTED"
        pull.review(users[by], word, body=reason or "")  # type: ignore[arg-type]  # one of two
        github.tick()

    return Case(forge, f"#{pull.number}", say, tip=main, has_people=True)


def _gitlab(tier: str) -> Open:
    @contextmanager
    def opened(tmp_path: Path) -> Iterator[Case]:
        with GraphServer(tier=tier) as server:
            yield _of_gitlab(server, tmp_path)

    return opened


def _of_gitlab(server: GraphServer, tmp_path: Path) -> Case:
    gitlab = server.gitlab
    users = {name: gitlab.user(name, role="developer") for name in ("ada", "grace", "rosa")}
    # A project's token does not see who is in a group, so this one is that of a member.
    robot = gitlab.user("assent", role="developer", is_bot=True)
    gitlab.group("ml", users["grace"], robot)
    gitlab.group("nobody", robot)
    request = gitlab.open_merge_request(users["ada"], title="A change")
    main = gitlab.project.tip("main")
    files = {"assent.lock": "format: assent/lock/1\n"}
    gitlab.project.commit(users["ada"], files=files, parent=main, branch="retrain/churn")
    forge = GitLabForge(
        "acme/churn",
        api=server.url,
        token=gitlab.personal_token(robot),
        checkout=_clone(server, tmp_path, main),
        merge_request=request.iid,
    )
    gitlab.tick()

    def say(bundle: str, by: str, state: ReviewState, reason: str | None) -> None:
        forge.comment(notice("churn", bundle, bundle))
        gitlab.tick()
        if state is ReviewState.APPROVED:
            request.approve(users[by])
        else:
            request.request_changes(users[by])
        gitlab.tick()

    id_ = f"!{request.iid}"
    return Case(forge, id_, say, tip=main, has_people=True, forgets=True, waits=(id_,))


CASES: dict[str, Open] = {
    "memory": _memory,
    "local": _local,
    "github": _github,
    "gitlab free": _gitlab("free"),
    "gitlab premium": _gitlab("premium"),
}
