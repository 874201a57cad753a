"""The environment of the CI run: whose it is, which says the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from assent.core.context import Channel, Context
from assent.core.evidence import Run
from assent.forges.description import ReadFile
from assent.forges.registry import FORGES, TOKENS, of_run
from assent.forges.variables import attempt_of

__all__ = ["hidden_tokens", "read_channel", "read_context", "read_file", "read_run", "without_ci"]


def read_file(path: str, limit: int) -> bytes:
    """The first `limit` bytes of a file. Raises `OSError`."""
    with Path(path).open("rb") as file:
        return file.read(limit)


def read_context(environ: Mapping[str, str], read_file: ReadFile = read_file) -> Context:
    """The run that `environ` tells of. Raises `UsageError` for what cannot be what it says."""
    run, forge = read_run(environ), of_run(environ)
    if forge is None:
        return Context(system=None if run is None else run.system, run=run)
    context = forge.context().read_context(environ, read_file, run)
    tokens = tuple(name for name in TOKENS if environ.get(name))
    return msgspec.structs.replace(context, tokens=tokens)


def read_channel(environ: Mapping[str, str]) -> Channel | None:
    """Where the job writes what is not for its log; None where there is no such place."""
    forge = of_run(environ)
    return None if forge is None else forge.context().read_channel(environ)


def read_run(environ: Mapping[str, str]) -> Run | None:
    """The CI run, or None outside CI.

    The CI of a forge is known by its own variables; any other system can set `ASSENT_RUN_ID` (and
    `ASSENT_RUN_ATTEMPT`, `ASSENT_RUN_ADDRESS`).
    """
    if environ.get("ASSENT_RUN_ID"):
        return Run(
            system="ci",
            id=environ["ASSENT_RUN_ID"],
            attempt=attempt_of(environ.get("ASSENT_RUN_ATTEMPT")),
            address=environ.get("ASSENT_RUN_ADDRESS") or None,
        )
    forge = of_run(environ)
    return None if forge is None else forge.context().read_run(environ)


def hidden_tokens(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The variables of which the team's own commands are not told: in a run of a forge's CI, those
    with the tokens that Assent acts with.
    """
    return () if of_run(environ) is None else TOKENS


def without_ci(environ: Mapping[str, str]) -> dict[str, str]:
    """What remains without all that would make a verb believe that it runs in CI."""
    beginnings = ("ASSENT_", *(name for forge in FORGES.values() for name in forge.variables))
    return {name: value for name, value in environ.items() if not name.startswith(beginnings)}
