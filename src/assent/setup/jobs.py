"""The jobs of the team's own CI as what each runs: the lines of its scripts, one after the other,
where they run, and what it sets before them.

The files are data that anybody may have written. What they refer to and is not here (an action of
somebody else, a pipeline of another project) is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from assent.parsing import list_of, mapping_of
from assent.setup.blocks import Block, CiJob
from assent.setup.github import jobs as github
from assent.setup.gitlab import jobs as gitlab
from assent.setup.tree import Tree

MAX_JOBS = 200
CHECKOUT = re.compile(rf"\$(?:{github.CHECKOUT}|{gitlab.CHECKOUT})")
"""Where CI has put the repository: the folder that it starts in."""
_READERS = ((github.FILES, github.blocks_of), (gitlab.FILES, gitlab.blocks_of))
_CIRCLE = ".circleci/config.yml"


def ci_jobs(tree: Tree) -> list[CiJob]:
    """The jobs of all pipelines below the top folder of a repository."""
    return list(chain(github.jobs(tree), gitlab.jobs(tree)))[:MAX_JOBS]


def blocks_of(tree: Tree, file: str) -> Iterator[tuple[str, Block]] | None:
    """The scripts of a file of some CI, each with the name of its job; None for any other file."""
    for form, read in _READERS:
        if form.fullmatch(file):
            return read(tree, file)
    return _circle(tree, file) if file == _CIRCLE else None


def _circle(tree: Tree, file: str) -> Iterator[tuple[str, Block]]:
    for name, job in mapping_of(tree.mapping(file).get("jobs")).items():
        for step in list_of(mapping_of(job).get("steps")):
            run = step.get("run") if isinstance(step, dict) else None
            run = run.get("command") if isinstance(run, dict) else run
            if isinstance(run, str):
                yield name, Block(text=run)
