"""What would end a run of the team's commands after hours, looked for before it: what is missing,
what is only a pointer, and outputs that may not be where they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from assent.config.settings import FILE
from assent.core.digest import Digest
from assent.errors import UsageError
from assent.making.command_run import recovered
from assent.making.dvc import POINTER
from assent.making.inputs import Inputs, inputs_not_here
from assent.making.output_paths import require_places
from assent.making.outputs import Outputs, literals
from assent.making.run_facts import RunFacts, facts_of
from assent.making.worktree import some_of, written
from assent.measure.patterns import covers
from assent.measure.pointers import error_of, promised, require_real, require_there
from assent.measure.redaction import redact_text
from assent.setup.readiness import missing_scripts, unfinished
from assent.workspace import Workspace

_FETCHING = frozenset(
    {"dvc", "lfs", "git-lfs", "annex", "git-annex", "git-crypt", "make", "submodule"}
)
"""Words of commands that may bring what is not here."""


def ready(workspace: Workspace, model: str) -> RunFacts:
    """Bring back what runs that were killed had set aside, and read what a run starts from. Raises
    `UsageError` for what would end it after hours and is known before it: a TODO that `init` has
    left, an output where none may be, and a command that names a script which is not there.
    """
    recovered(workspace, model)
    facts = facts_of(workspace, model)
    _require_complete(facts)
    require_places(workspace, model, written(workspace, model))
    _require_scripts(workspace, facts)
    return facts


def _require_complete(facts: RunFacts) -> None:
    keys = unfinished(facts.settings)
    if keys:
        raise UsageError(
            f"making ready to run {facts.model}",
            f"{', '.join(keys)} in {FILE} still {'says' if len(keys) == 1 else 'say'} TODO",
            hint=f"complete {FILE}; `assent init --dry-run` shows what was seen",
        )


def _require_scripts(workspace: Workspace, facts: RunFacts) -> None:
    settings, doing = facts.settings, f"making ready to run {facts.model}"
    for command in filter(None, (settings.train, settings.evaluate)):
        names = [
            name
            for name in missing_scripts(workspace.root, command)
            # What is not even in a folder that is there, a run may well make.
            if not facts.outputs.cover(name, literal=True)
            and (workspace.root / name).parent.is_dir()
        ]
        for name in names:
            require_there(workspace.root, name, doing)
        if names:
            raise UsageError(
                doing,
                f"`{redact_text(command)}` names {some_of(names)}, which is not there",
                hint=f"correct the command in {FILE}, or commit the script",
            )


def may_fetch(command: str | None) -> bool:
    """Whether a command may itself bring what is not here, so that it is looked for after it."""
    return any(word.rpartition("/")[2] in _FETCHING for word in (command or "").split())


def require_inputs_here(
    workspace: Workspace,
    model: str,
    inputs: Inputs,
    doing: str,
    known: Outputs,
    *,
    but: Sequence[str] = (),
) -> None:
    """Raise `StandInError` for an input of which only a pointer is here, or that Git holds and the
    checkout has left out: nothing is meant to read pointers, or a part of the inputs. The pointers
    that the patterns `but` cover are problems of what is measured. `known` are the outputs.
    """
    root, settings = workspace.root, workspace.settings(model)
    names = [file for file in inputs.files if not any(covers(pattern, file) for pattern in but)]
    require_real(root, [root / name for name in names if not name.endswith(POINTER)], doing)
    left_out = [
        (name, kind)
        for name, kind in inputs_not_here(root, settings, known, workspace.others(model))
        # Else another job had them, and has said what they were.
        if not any(covers(name, file) for file in inputs.files)
    ]
    if left_out:
        raise error_of(doing, left_out)


def require_fetched(workspace: Workspace, facts: RunFacts, inputs: Inputs, doing: str) -> None:
    """As `require_inputs_here`, for a training: it reads what it names, pointers or not."""
    require_inputs_here(workspace, facts.model, inputs, doing, facts.outputs)
    for name in literals(facts.settings):
        if not (workspace.root / name).exists():
            require_there(workspace.root, name, doing)


def awaited(workspace: Workspace, inputs: Inputs) -> dict[str, Digest]:
    """The inputs of which pointers are here that say what the files are."""
    promises = {name: promised(workspace.root / name) for name in inputs.files}
    return {
        name: Digest(f"sha256:{digits}") for name, digits in promises.items() if digits is not None
    }
