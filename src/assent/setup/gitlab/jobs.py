"""The jobs of the team's own pipeline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from assent.parsing import ParseError, parse_yaml
from assent.setup.blocks import Block, CiJob, constants
from assent.setup.gitlab.team import FILE, bodies
from assent.setup.tree import Tree

FILES = re.compile(r"(?:.*/)?\.gitlab-ci\.ya?ml|\.gitlab/.*\.ya?ml")
CHECKOUT = r"\{?CI_PROJECT_DIR\b\}?"
"""After the dollar: where the repository is, which is where each job starts."""


def jobs(tree: Tree) -> Iterator[CiJob]:
    """All jobs of the pipeline at the top."""
    if not tree.is_file(FILE):
        return
    for name, body in bodies(tree.root, FILE).items():
        lines = [
            line
            for key in ("before_script", "script")
            for line in (body[key] if isinstance(body.get(key), list) else [body.get(key)])
            if isinstance(line, str)
        ]
        image = body.get("image")
        image = image.get("name") if isinstance(image, dict) else image
        values = constants(body.get("variables"))
        block = Block(text="\n".join(lines), values=values)
        yield CiJob(
            file=FILE,
            name=name,
            forge="gitlab",
            blocks=(block,) if lines else (),
            image=image if isinstance(image, str) else None,
        )


def _values(tree: Tree, file: str) -> dict[str, Any]:
    """A GitLab file as values; its tags (`!reference`) are of no interest."""
    text = re.sub(rb"!reference\s*", b"", tree.read(file) or b"")
    try:
        document = parse_yaml(text.partition(b"\n---")[0] if b"\nspec:" not in text else text)
    except ParseError:
        return {}
    return document if isinstance(document, dict) else {}


def blocks_of(tree: Tree, file: str) -> Iterator[tuple[str, Block]]:
    """The scripts of a file as they stand there, each with the name of its job."""
    top = _values(tree, file)
    shared = constants(top.get("variables"))
    for name, job in top.items():
        script = job.get("script") if isinstance(job, dict) else None
        lines = [script] if isinstance(script, str) else script
        if isinstance(lines, list):
            values = {**shared, **constants(job.get("variables"))}
            text = "\n".join(line for line in lines if isinstance(line, str))
            yield name, Block(text=text, values=values)
