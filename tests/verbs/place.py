"""A model in a repository, with forge, store and ledger in memory: what verbs are tried on.

A bundle is made by hand from what lies in the working tree, so that nothing has to be run.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from assent.core.bundle import ModelFile, config_blob, manifest_blob, model_digest, read_manifest
from assent.core.change import Author, Change, ReviewState
from assent.core.digest import Digest, canonical_json, digest_of
from assent.core.entry import Entry, Kind, Subject, decode_entry, sentence
from assent.core.evidence import Code, Evidence, Step
from assent.making.bundles import remember
from assent.making.worktree import inputs_of
from assent.ports import Source
from assent.recording.pointers import point_all
from assent.testing.forge import MemoryForge
from assent.testing.ledger import MemoryLedger
from assent.testing.store import MemoryStore
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.builders import draft, new_repository, run_git

MODEL = "churn"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CONFIG = """\
models:
  churn:
    train: python train.py
    inputs: [train.py, params.json]
    params: [params.json]
    model: model/
    metrics: [metrics.json]
    gates: [{metric: accuracy, min: 0.7}]
    approvals: {count: 1}
    stages:
      staging: {approvals: {count: 0}}
      production: {after: staging, approvals: {count: 1, from: [carol]}}
"""


class Place:
    """`alice` has made the change that is checked out; `bob` and `carol` may approve it."""

    def __init__(self, folder: Path) -> None:
        self.folder = new_repository(folder)
        self.forge = MemoryForge("alice", "bob", "carol")
        self.store = MemoryStore()
        self.ledger = MemoryLedger()
        self.said: list[str] = []
        (folder / "assent.yaml").write_text(CONFIG)
        (folder / "train.py").write_text("# trains\n")
        (folder / ".gitignore").write_text(".assent/\nmodel/\nmetrics.json\n")
        self.commit(0.8)

    def commit(self, accuracy: float) -> str:
        """Let the base branch be at a model of this accuracy; the change is what has landed."""
        (self.folder / "params.json").write_text(json.dumps({"accuracy": accuracy}))
        run_git(self.folder, "add", "--all")
        run_git(self.folder, "commit", "--quiet", "--allow-empty", "-m", f"accuracy {accuracy}")
        head = run_git(self.folder, "rev-parse", "HEAD")
        self.forge.open_change = Change(
            id="#7",
            title="Try",
            base="main",
            head=head,
            authors=(Author(name="alice", person=self.forge.accounts["alice"]),),
            landed=True,
        )
        self.forge.merged[head] = self.forge.open_change
        return head

    def open(self, **changes: object) -> Workspace:
        """A run in this place."""
        opened = open_workspace(self.folder, environ={}, now=NOW, say=self.said.append)
        ports = {"forge": self.forge, "store": self.store, "ledger": self.ledger}
        return dataclasses.replace(opened, **{**ports, **changes})  # type: ignore[arg-type]  # by name

    def bundle(self, accuracy: float = 0.8, *, content: bytes = b"weights") -> Digest:
        """The bundle of the inputs that lie there, which has this accuracy."""
        workspace = self.open()
        inputs = inputs_of(workspace, MODEL)
        commit = run_git(self.folder, "rev-parse", "HEAD")
        step = Step(
            command="python train.py",
            inputs_digest=inputs.train,
            started_at="2026-01-01T00:00:00Z",
            wall_s=1.0,
        )
        evidence = Evidence(
            model=MODEL,
            inputs_digest=inputs.evaluate,
            inputs=dict(inputs.files),
            train=step,
            code=Code(
                commit=commit,
                branch="main",
                is_dirty=run_git(self.folder, "status", "--porcelain") != "",
            ),
            metrics={"accuracy": accuracy},
        )
        file = ModelFile(path="model.bin", digest=digest_of(content), size_bytes=len(content))
        body, config = canonical_json(evidence), config_blob(MODEL, [file])
        manifest = manifest_blob(MODEL, [file], config, body)
        self.store.add([Source(content=blob) for blob in (content, body, config, manifest)])
        digest = digest_of(manifest)
        remember(self.store, MODEL, evidence, digest, commit)
        return digest

    def approve(self, bundle: Digest, by: str) -> None:
        """Somebody says on the forge that the bundle is good."""
        self.forge.review(
            MODEL, bundle, by=by, state=ReviewState.APPROVED, at="2026-01-02T03:00:00Z", reason=None
        )

    def version(self, number: int, *, content: bytes | None = None) -> Digest:
        """A version that stands in the ledger, as if it had been reviewed long ago."""
        bundle = self.bundle(0.8 + number / 1000, content=content or f"v{number}".encode())
        self.write(Kind.REGISTERED, number, bundle)
        return bundle

    def hold(self, stage: str, number: int, replaces: int | None = None) -> None:
        """Let a stage hold a version."""
        bundle = self.ledger.read(MODEL).bundle_of(number)
        assert bundle is not None
        self.write(Kind.PROMOTED, number, bundle, stage=stage, replaces=replaces)

    def write(self, kind: Kind, number: int, bundle: Digest, **fields: object) -> None:
        """Append one entry about a version."""
        files = read_manifest(self.store.read(bundle)).files
        about = Subject(version=number, bundle=bundle, model_digest=model_digest(files))
        actor = self.forge.accounts["alice"]
        entry = msgspec.structs.replace(draft(kind, about, **fields), actor=actor)
        written = self.ledger.append(self.ledger.read(MODEL), [entry])
        point_all(self.open(), MODEL, written)

    def write_registered(self, bundle: Digest) -> None:
        """Somebody gives a bundle the next version."""
        self.write(Kind.REGISTERED, self.ledger.read(MODEL).state.versions + 1, bundle)

    @property
    def entries(self) -> list[Entry]:
        """All that the ledger holds."""
        return [decode_entry(content) for content in self.ledger.contents.get(MODEL, ())]

    @property
    def log(self) -> list[str]:
        """The same in words."""
        return [sentence(entry) for entry in self.entries]

    def racing(self, act: Callable[[], None]) -> MemoryLedger:
        """The ledger, to which somebody else writes first, once."""
        waiting = [act]

        class Raced(MemoryLedger):
            def append(self, view, drafts):  # type: ignore[no-untyped-def]  # as its base
                while waiting:
                    waiting.pop()()
                return super().append(view, drafts)

        raced = Raced()
        raced.contents = self.ledger.contents
        return raced
