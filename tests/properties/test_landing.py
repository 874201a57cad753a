"""Random histories: every bundle that was approved and has landed gets one version, no other does.

Git is real, the forge is in memory. Each history is a list of what people do; what must come of it
is told by the contents of the files alone.
"""

from __future__ import annotations

import operator
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assent.core.bundle import ModelFile, config_blob, manifest_blob
from assent.core.change import Author, Change, ReviewState
from assent.core.context import Context
from assent.core.digest import Digest, digest_of
from assent.core.entry import Kind, decode_entry
from assent.core.evidence import Code, Evidence
from assent.core.verdict import Decision
from assent.errors import IdleError
from assent.git import BaseBranch, Repository
from assent.judging.landing import require_base
from assent.ports import Notice, Source
from assent.testing.forge import MemoryForge
from assent.testing.ledger import MemoryLedger
from assent.testing.store import MemoryStore
from assent.verbs.approve import approve
from assent.verbs.register import register
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.builders import new_repository, run_git
from tests.effort import IS_SOAK

EXAMPLES = 300 if IS_SOAK else 6
"""How many histories; `script/soak` asks for many."""
INPUTS = ("a.txt", "b.txt")
CONFIG = """\
store: store
models:
  churn:
    train: sh train.sh
    inputs: [a.txt, b.txt]
    model: model.txt
    metrics: [metrics.json]
    gates: [{metric: accuracy, min: 0}]
    approvals: {count: 1, from: [grace]}
"""

Edit = tuple[str, int]
"""A file, and what it holds then."""


@dataclass
class Request:
    """A change: its branch's newest commit, who made it, where it goes to, and what was shown and
    approved.
    """

    id: str
    head: str
    by: str = "ada"
    base: str = "main"
    is_merged: bool = False
    shown: dict[str, Digest] = field(default_factory=dict)
    approved: set[Digest] = field(default_factory=set)


class Team:
    """One repository and everybody who works in it."""

    def __init__(self, folder: Path, config: str = CONFIG, *logins: str) -> None:
        self.folder = new_repository(folder / "work")
        self._count = 0
        self.forge = MemoryForge("ada", "grace", *logins)
        self.requests: list[Request] = []
        self.bundles: dict[Digest, str] = {}
        self.landed: list[tuple[str, Request | None]] = []
        files = {"assent.yaml": config, "train.sh": "", "a.txt": "0\n", "b.txt": "0\n"}
        for name, text in files.items():
            (self.folder / name).write_text(text)
        run_git(self.folder, "add", "--all")
        run_git(self.folder, "commit", "-q", "-m", "Predict churn")
        run_git(self.folder, "branch", "side")
        opened = open_workspace(
            self.folder, environ={}, now=datetime(2026, 1, 2, tzinfo=UTC), say=lambda _: None
        )
        self.opened = replace(opened, forge=self.forge, store=MemoryStore(), ledger=MemoryLedger())
        self.seen = self.tip

    @property
    def tip(self) -> str:
        return run_git(self.folder, "rev-parse", "refs/heads/main")

    def number(self) -> int:
        self._count += 1
        return self._count

    def workspace(self, event: str, **more: str) -> Workspace:
        """A trusted run as it begins: nothing is read yet."""
        repository = Repository(self.folder)
        context = Context(system="github", event=event, ref="refs/heads/main", untrusted="", **more)  # type: ignore[arg-type]  # texts
        trunk = BaseBranch(repository, None)
        parts = {"repository": repository, "branch": trunk, "context": context}
        return replace(self.opened, forge=self.forge, **parts)  # type: ignore[arg-type]  # as above

    def contents(self, commit: str) -> tuple[str, ...]:
        return tuple(run_git(self.folder, "show", f"{commit}:{name}") for name in INPUTS)

    def commit(self, parent: str, edits: list[Edit], *parents: str, tree: str = "") -> str:
        """A commit with these files, or of a tree."""
        if not tree:
            run_git(self.folder, "read-tree", parent)
            for name, value in edits:
                (self.folder / ".git/edit").write_text(f"{value}\n")
                blob = run_git(self.folder, "hash-object", "-w", ".git/edit")
                run_git(
                    self.folder, "update-index", "--add", "--cacheinfo", f"100644,{blob},{name}"
                )
            tree = run_git(self.folder, "write-tree")
        named = [word for one in (parent, *parents) for word in ("-p", one)]
        return run_git(self.folder, "commit-tree", tree, *named, "-m", f"c{self.number()}")

    # --- what people do ---

    def open(self, edits: list[Edit], by: str = "ada") -> Request:
        request = Request(id=f"#{self.number()}", head=self.commit(self.tip, edits), by=by)
        self.requests.append(request)
        return request

    def rewrite(self, request: Request, edits: list[Edit]) -> None:
        """What `push --force-with-lease` of the branch does."""
        request.head = self.commit(self.tip, edits)

    def add(self, request: Request, edits: list[Edit]) -> None:
        request.head = self.commit(request.head, edits)

    def retarget(self, request: Request) -> None:
        request.base = "side" if request.base == "main" else "main"

    def review(self, request: Request) -> None:
        """Train and show, if it goes to the default branch."""
        workspace = self._of(request)
        try:
            require_base(workspace, workspace.change(), "reviewing churn")
        except IdleError:
            workspace.forge.retract("churn", "it goes elsewhere")
            request.shown.pop(request.head, None)
            return
        digest = self._bundle(request.head)
        notice = Notice(model="churn", bundle=digest, body="", decision=Decision.PENDING)
        workspace.forge.comment(notice)
        request.shown[request.head] = digest

    def approve(self, request: Request, by: str = "grace") -> None:
        workspace = self._of(request)
        digest = request.shown.get(request.head)
        if digest is None:
            return
        workspace.forge.review(
            "churn", digest, by=by, state=ReviewState.APPROVED, at=self._now(), reason=None
        )
        try:
            approve(workspace, "churn", name=digest)
        except IdleError:
            assert request.base != "main"
        else:
            request.approved.add(digest)

    def merge(self, request: Request, how: str) -> None:
        """Conflicts are not merged, nor is what goes elsewhere of interest."""
        if request.base != "main":
            return
        before = self.tip
        try:
            tree = run_git(self.folder, "merge-tree", "--write-tree", before, request.head)
        except Exception:  # a conflict
            return
        parents = [request.head] if how == "merge" else []
        if how == "rebase":  # one commit before it, which is no change of its own
            before = self.commit(before, [])
            self.landed.append((before, None))
        self._land(self.commit(before, [], *parents, tree=tree.split()[0]), request)

    def revert(self) -> None:
        """The last step is undone, by hand."""
        if self.landed:
            tree = run_git(self.folder, "rev-parse", f"{self.tip}^1^{{tree}}")
            self._land(self.commit(self.tip, [], tree=tree), None)

    def run(self, event: str) -> None:
        """The run that what landed sets off, or the schedule's."""
        before, self.seen = self.seen, self.tip
        run_git(self.folder, "reset", "-q", "--hard", self.tip)
        more = {"before": before} if event == "push" else {}
        self.forge.open_change = self.forge.merged.get(self.tip) or self._alone()
        for verb in (approve, register):
            try:
                verb(self.workspace(event, **more), "churn")
            except IdleError:
                assert verb is approve

    # --- shared ---

    def _alone(self) -> Change:
        tip = self.tip
        return Change(
            id=f"main@{tip[:12]}", title="", base="main", head=tip, authors=(), landed=True
        )

    def _change(self, request: Request) -> Change:
        made = (Author(name=request.by, person=self.forge.person(request.by)),)
        return Change(id=request.id, title="", base=request.base, head=request.head, authors=made)

    def _of(self, request: Request) -> Workspace:
        self.forge.open_change = self._change(request)
        return self.workspace("workflow_run")

    def _land(self, commit: str, request: Request | None) -> None:
        run_git(self.folder, "update-ref", "refs/heads/main", commit)
        self.landed.append((commit, request))
        if request is not None:
            request.is_merged = True
            change = self._change(request)
            merged = msgspec.structs.replace(change, landed=True, landed_as=commit)
            self.forge.merged[commit] = self.forge.changes[request.id] = merged

    def _now(self) -> str:
        return f"2026-01-02T00:{self.number():02}:00Z"

    def _bundle(self, commit: str) -> Digest:
        """What a training of this commit makes: other bytes each time."""
        weights = f"weights {self.number()}".encode()
        file = ModelFile(path="model.txt", digest=digest_of(weights), size_bytes=len(weights))
        tree = run_git(self.folder, "rev-parse", f"{commit}^{{tree}}")
        evidence = Evidence(
            model="churn",
            inputs_digest=digest_of(" ".join(self.contents(commit)).encode()),
            code=Code(commit=commit, tree=tree),
            metrics={"accuracy": 1.0},
        )
        about, config = msgspec.json.encode(evidence), config_blob("churn", [file])
        manifest = manifest_blob("churn", [file], config, about)
        contents = (weights, about, config, manifest)
        self.opened.store.add([Source(content=content) for content in contents])
        self.bundles[digest_of(manifest)] = commit
        return digest_of(manifest)

    # --- what must come of it ---

    def wanted(self) -> list[Digest]:
        """Approved when it was shown, and of what its step holds; in the order of the steps."""
        found: list[Digest] = []
        for commit, request in self.landed:
            merged = self.forge.merged.get(commit)
            digest = None if request is None or merged is None else request.shown.get(merged.head)
            if digest is None or request is None or digest not in request.approved:
                continue
            if self.contents(self.bundles[digest]) == self.contents(commit):
                found.append(digest)
        return found

    def registered(self) -> list[Digest]:
        entries = map(decode_entry, self.opened.ledger.read("churn").entries())
        found = [one.subject.bundle for one in entries if one.kind is Kind.REGISTERED]
        return [digest for digest in found if digest is not None]


edits = st.lists(
    st.tuples(st.sampled_from([*INPUTS, "docs.md"]), st.integers(1, 3)),
    min_size=1, max_size=2, unique_by=lambda one: one[0],
)  # fmt: skip
ways = st.sampled_from(["merge", "squash", "rebase"])
opened = st.tuples(st.just("open"), edits, st.sampled_from([True, True, True, False]))
acts = st.one_of(
    opened,
    st.tuples(st.sampled_from(["rewrite", "add"]), st.integers(0, 9), edits),
    st.tuples(st.sampled_from(["review", "approve", "retarget"]), st.integers(0, 9)),
    st.tuples(st.just("merge"), st.integers(0, 9), ways),
    st.tuples(st.just("merge"), st.integers(0, 9), ways),
    st.tuples(st.sampled_from(["revert", "push", "push", "schedule"])),
)


BESIDE = ("open", [("a.txt", 1)], True)
OTHER = ("open", [("b.txt", 2)], True)
DOCS = ("open", [("docs.md", 3)], True)


def play(team: Team, act: tuple[object, ...]) -> None:
    name, *more = act
    if name == "open":
        wish, is_ready = more
        team.open(wish)  # type: ignore[arg-type]  # what `acts` gives
        if is_ready:  # most are reviewed and approved before anything else happens
            team.review(team.requests[-1])
            team.approve(team.requests[-1])
    elif name in ("push", "schedule"):
        team.run(str(name))
    elif name == "revert":
        team.revert()
    else:
        number, *rest = more
        waiting = [one for one in team.requests if not one.is_merged]
        if waiting:
            done: Callable[..., None] = getattr(team, str(name))
            done(waiting[int(str(number)) % len(waiting)], *rest)


def check(team: Team) -> None:
    team.run("schedule")
    assert team.registered() == team.wanted()


@pytest.mark.threat(43)
@settings(max_examples=EXAMPLES)
@given(
    history=st.builds(
        operator.add,
        st.lists(opened, min_size=2, max_size=4),
        st.lists(acts, min_size=3, max_size=12),
    )
)
@example([BESIDE, OTHER, ("merge", 0, "merge"), ("merge", 0, "squash"), ("push",)])
@example([BESIDE, DOCS, ("merge", 0, "squash"), ("merge", 0, "merge"), ("push",)])
@example([DOCS, BESIDE, ("merge", 0, "rebase"), ("merge", 0, "rebase"), ("schedule",)])
@example([BESIDE, ("merge", 0, "merge"), ("push",), ("revert",), OTHER, ("merge", 0, "merge")])
def test_what_was_approved_and_has_landed_gets_one_version(
    history: list[tuple[object, ...]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        team = Team(Path(folder))
        for act in history:
            play(team, act)
        check(team)
        check(team)  # another run changes nothing
