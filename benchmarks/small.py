"""A project that trains by copying a file, so that nothing but Assent takes time."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from assent.core.digest import Digest
from benchmarks.project import MODEL, Project

_ASSENT = f"""\
models:
  {MODEL}:
    train: sh train.sh
    inputs: [train.sh, scores.json]
    params: [params.yaml]
    model: model.bin
    metrics: [metrics.json]
    gates:
      - {{metric: roc_auc, min: 0.75, max_drop: 0.05}}
      - {{metric: log_loss, max_rise: 50%}}
      - {{slice: region, metric: roc_auc, max_drop: 0.05}}
    approvals: {{count: 1, from: ["@reviewers"]}}
    stages:
      staging: {{}}
      production: {{after: staging}}
people:
  ada: {{email: ada@example.com, groups: [reviewers]}}
  grace: {{email: grace@example.com, groups: [reviewers]}}
"""


@dataclass(frozen=True)
class Candidate:
    """A bundle in the store, and the commit on main whose inputs gave it."""

    commit: str
    bundle: Digest
    model_digest: Digest


@dataclass(frozen=True)
class SmallProject(Project):
    """Candidates, each of its own commit on main. The first is what `start` promotes."""

    candidates: tuple[Candidate, ...] = ()

    def start(self) -> None:
        """Register the first candidate and promote it to every stage."""
        self.check_out(0)
        self.approve()
        for verb in (["register"], ["promote", "staging"], ["promote", "production"]):
            self.assent(*verb)

    def check_out(self, number: int) -> None:
        """Go to the commit of a candidate."""
        self.git("checkout", "--quiet", "--detach", self.candidates[number].commit)

    def approve(self) -> None:
        """Record Grace's approval of the candidate that is checked out."""
        self.assent("approve", "--as", "grace")

    def copy(self, folder: Path) -> SmallProject:
        """The same project once more, with a remote and a store of its own."""
        twin = SmallProject(folder, self.env, self.candidates)
        shutil.copytree(self.folder, twin.folder)
        shutil.copytree(self.remote, twin.remote)
        twin.git("remote", "set-url", "origin", twin.address)
        return twin


def small_project(folder: Path, env: dict[str, str], *, candidates: int) -> SmallProject:
    """Make a project with this many candidates."""
    bare = SmallProject(folder, env)
    bare.create()
    metrics = {
        "roc_auc": 0.9,
        "log_loss": 0.3,
        "slices": {"region": {name: {"roc_auc": 0.9} for name in ("north", "south")}},
    }
    bare.write(
        assent_yaml=_ASSENT,
        scores_json=json.dumps(metrics),
        train_sh="cp params.yaml model.bin; cp scores.json metrics.json\n",
        _gitignore=".assent/\n.benchmark-output\nmodel.bin\nmetrics.json\n",
    )
    made = []
    for seed in range(candidates):
        bare.write(params_yaml=f"seed: {seed}\n")
        bare.commit(f"Try seed {seed}")
        for verb in ("train", "evaluate"):
            bare.assent(verb)
        told = json.loads(bare.assent("bundle", "--json"))
        commit = bare.git("rev-parse", "HEAD")
        made.append(
            Candidate(commit=commit, bundle=told["bundle"], model_digest=told["model_digest"])
        )
    return SmallProject(folder, env, tuple(made))
