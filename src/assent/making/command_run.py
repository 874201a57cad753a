"""One run of the team's commands: what it must write, what is set aside for it, what it took."""

from __future__ import annotations

import signal
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from assent.config.settings import FILE
from assent.core.digest import Digest
from assent.core.evidence import Step
from assent.errors import AssentError, CommandError, OutsideError, PolicyError, UsageError
from assent.making.aside import (
    KEPT_RUNS,
    Aside,
    aside,
    cut_off,
    left_below,
)
from assent.making.commands import mentioned
from assent.making.dvc import runs_dvc, stale
from assent.making.existing_outputs import standing_outputs
from assent.making.keepsakes import Keepsakes, is_document
from assent.making.run_facts import RunFacts
from assent.making.scratch import Written, keep
from assent.making.worktree import outputs, some_of, tracked_beside, written
from assent.measure.command import run_command
from assent.measure.interpreters import Seen
from assent.measure.patterns import covers, is_glob
from assent.measure.redaction import redact_text
from assent.workspace import Workspace


def recovered(workspace: Workspace, model: str) -> None:
    """Bring back what runs that were killed had set aside, and say so. Raises `OutsideError` for
    what of this model cannot be; of other models that is said.
    """
    own = place(workspace, model)
    for folder in left_below(own.parent):
        try:
            with cut_off(workspace.root, folder) as moved:
                if moved is not None:
                    _bring_back(workspace, folder.name, moved, f"{folder.name}: a run was cut off")
                    if moved.failure is not None:
                        raise moved.failure
        except UsageError:
            if folder == own:
                raise  # a run of another model may go on meanwhile
        except OutsideError as error:
            if folder == own:
                raise
            workspace.say(f"{error}; {error.hint}")


def _bring_back(workspace: Workspace, model: str, moved: Aside, doing: str) -> None:
    """After a run that did not end well: what was there before is there again, as far as it can be,
    and what else the run has left is ours, so that the next one need not write it again.
    """
    moved.bring_back()
    with suppress(AssentError):  # whatever lies there must not hide how the run ended
        _note_partial(workspace, model, _own(workspace, model, moved.fresh()))
    if moved.is_any and not moved.stuck:
        workspace.say(f"{doing}: the outputs of earlier runs are back where they were")
    _say_beside(workspace, moved, doing)


def _own(workspace: Workspace, model: str, names: Sequence[str]) -> list[str]:
    """Those of `names`, which lie at outputs of the model, that are not another model's."""
    if model not in workspace.config.models:
        return [*names]
    known, _ = outputs(workspace, model)
    return known.keep(known.own, names)


def _say_beside(workspace: Workspace, moved: Aside, doing: str) -> None:
    if moved.beside:
        folders = some_of(sorted(map(str, moved.beside)))
        workspace.say(
            f"{doing}: what the run has left is kept in {folders}, "
            f"as is that of the last {KEPT_RUNS} such runs"
        )


def _note_partial(workspace: Workspace, model: str, names: Sequence[str]) -> None:
    """What a run that did not end well has left is ours: the next one need not write it again."""
    files = [path for name in names if (path := workspace.root / name).is_file()]
    if files:
        known = written(workspace, model)
        mine = {**known.outputs, **workspace.hashes.digests(files)}
        keep(workspace.work, model, "written", msgspec.structs.replace(known, outputs=mine))


def place(workspace: Workspace, model: str) -> Path:
    """Where outputs are set aside. It is in the working tree, to be on its file system."""
    return workspace.work / "aside" / model


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a command is to write: something for each pattern of `must`; nothing for those of `may`
    is no fault, and `shown` are those of `must` that only pictures come from. `own` is what an
    earlier command of the same run has written, and `inputs` what a glob of outputs happens to
    cover although the commands read it.
    """

    must: tuple[str, ...]
    may: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    own: dict[str, Digest] = {}
    inputs: Collection[str] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All patterns."""
        return (*self.must, *self.may)


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """A command that has ended well: what it took, the interpreters that were seen, and the files
    that it wrote, by path. Of `unproven` outputs it is not known who wrote them; `beside` are
    documents of people among the outputs, which it did not write. `earlier` is what runs had left
    when it began, and nobody else could run the model.
    """

    step: Step
    seen: Seen
    written: dict[str, Digest]
    unproven: tuple[str, ...]
    beside: frozenset[str]
    earlier: Written

    @property
    def known(self) -> dict[str, Digest]:
        """The outputs that runs have written, this one included."""
        known = {**self.earlier.outputs, **self.written}
        return {name: digest for name, digest in known.items() if name not in self.beside}


@contextmanager
def run(
    workspace: Workspace,
    facts: RunFacts,
    command: str,
    inputs_digest: Digest,
    doing: str,
    output: int | IO[bytes] | None,
    expected: Expected,
) -> Iterator[Ran]:
    """Run one of the team's commands, with what earlier runs have left of its outputs set aside.

    Whatever is raised, here or as long as the context lasts, brings all of that back. Raises
    `CommandError` if the command fails, and `UsageError` naming what it did not write.
    """
    with aside(workspace.root, place(workspace, facts.model)) as moved:
        earlier = written(workspace, facts.model)
        plan = _Plan(workspace, facts, command, expected, doing, earlier)
        moved.move(plan.to_move(), plan.to_stay(), plan.own, plan.updated)
        moved.watch(plan.documents)
        keepsakes = Keepsakes(workspace.root, plan.tracked)
        if moved.standing:
            workspace.say(
                f"{doing}: these could not be set aside, and are told by their times: "
                f"{some_of(moved.standing)}"
            )
        try:
            step, seen = run_step(workspace, command, inputs_digest, doing, output, moved.lock)
            moved.watch(keepsakes.restore())
            plan.require(moved)
            moved.settle(plan.to_bring_back(moved))
            _say_beside(workspace, moved, doing)
            yield Ran(
                step=step,
                seen=seen,
                written=plan.written(moved),
                unproven=plan.unproven,
                beside=frozenset(
                    document for document in plan.documents if not moved.is_written(document)
                ),
                earlier=earlier,
            )
        except BaseException as error:
            _bring_back(workspace, facts.model, moved, doing)
            keepsakes.restore()
            if isinstance(error, CommandError):
                plan.say_missed(moved)
            if moved.failure is not None:
                workspace.say(f"{doing}: {moved.failure}; {moved.failure.hint}")
            raise


class _Plan:
    """Which outputs are proven to be of a run, and how: set aside before, by DVC's lock after it,
    or not at all.
    """

    def __init__(
        self,
        workspace: Workspace,
        facts: RunFacts,
        command: str,
        expected: Expected,
        doing: str,
        earlier: Written,
    ) -> None:
        self._workspace = workspace
        self._root = workspace.root
        self._facts = facts
        self._earlier = earlier
        self._full_command = command
        self._command = redact_text(command)
        self._expected = expected
        self._doing = doing
        self._incremental = facts.settings.incremental
        self._outputs = facts.outputs
        self.own = self._outputs.own
        self._by_dvc = frozenset(
            pattern
            for pattern in expected.all
            if runs_dvc(command)
            and any(covers(out, pattern) or covers(pattern, out) for out in facts.dvc.outs)
        )
        self.updated = (*self._incremental, *self._by_dvc)
        updated = [name for name in expected.all if self._is_updated(name)]
        self._aside = tuple(
            name for name in expected.all if name not in self._by_dvc and name not in updated
        )
        self.tracked = tracked_beside(workspace, expected.all)
        self.documents = [
            name
            for name in self.tracked
            if is_document(name) and self._outputs.cover(name) and not self._is_updated(name)
        ]
        kept = [name for name in self._standing(self._aside) if self._is_updated(name)]
        self.unproven = (*(name for name in updated if name in expected.must), *kept)

    def to_move(self) -> list[str]:
        """What is set aside: all that lies there, but for what this run has written already."""
        return [
            name
            for name in self._standing(self._aside)
            if not self._is_updated(name)
            and name not in self.documents
            and not self._is_own(name)
            and name not in self._expected.inputs
        ]

    def to_stay(self) -> list[str]:
        """What lies there and is not set aside: of the model, too, when it is evaluated."""
        moved = {*self.to_move()}
        return [output for output in standing_outputs(self._root, self.own) if output not in moved]

    def _standing(self, patterns: Sequence[str]) -> list[str]:
        """What lies there of the outputs, without what is another model's."""
        return self._outputs.keep(patterns, standing_outputs(self._root, patterns))

    def require(self, moved: Aside) -> None:
        """Raise `UsageError` unless the command has written all that it must."""
        for pattern in self._expected.must:
            if pattern in self._by_dvc:
                self._require_current(pattern)
            elif pattern in self._aside:
                self._require_new(pattern, moved)
        left = [name for name in self._left(moved) if not self._is_shown(name)]
        if left:
            raise UsageError(
                self._doing,
                f"`{self._command}` ended well, but did not write {some_of(left)}, which was there "
                "before: it is of an earlier run",
                hint=_REMEDY,
            )

    def say_missed(self, moved: Aside) -> None:
        """Say what a command that failed may have missed: a file that it names, and that was set
        aside because a glob of outputs covers it.
        """
        words = {*mentioned(self._full_command)}
        globs = [pattern for pattern in self._expected.all if is_glob(pattern)]
        missed = [
            name
            for name in moved.names
            if name in words and any(covers(glob, name) for glob in globs)
        ]
        if missed:
            wide = [glob for glob in globs if any(covers(glob, name) for name in missed)]
            self._workspace.say(
                f"{self._doing}: {some_of(missed)} was set aside while the command ran, because "
                f"it is among the outputs in {FILE}; name it in `inputs` if the command reads it, "
                f"and the outputs one by one instead of {some_of(wide)}"
            )

    def to_bring_back(self, moved: Aside) -> list[str]:
        """What was set aside and is still wanted: what the command did not have to write."""
        shown = [name for name in self._left(moved) if self._is_shown(name)]
        if shown:
            self._workspace.say(
                f"{self._doing}: not shown, because this run did not write them: {some_of(shown)}"
            )
        must = self._expected.must
        others = [name for name in moved.gone if not any(covers(pattern, name) for pattern in must)]
        gone = frozenset(moved.gone)
        return [*others, *(name for name in shown if name in gone)]

    def written(self, moved: Aside) -> dict[str, Digest]:
        """The files that this run has written, by path."""
        names = [name for name in self._standing(self._expected.all) if moved.is_written(name)]
        files = [self._root / name for name in names if (self._root / name).is_file()]
        return self._workspace.hashes.digests(files) if files else {}

    def _require_new(self, pattern: str, moved: Aside) -> None:
        """What was never there is missing evidence, which blocks; what is there is of a run."""
        here = self._standing([pattern])
        was_there = any(covers(pattern, name) for name in moved.names)
        if was_there and not any(moved.is_written(name) for name in here):
            raise UsageError(
                self._doing,
                f"`{self._command}` ended well, but did not write {pattern}; what lay there is of "
                "an earlier run",
                hint=_REMEDY,
            )

    def _require_current(self, pattern: str) -> None:
        _, dvc = outputs(self._workspace, self._facts.model)  # the command has written to it
        reason = stale(self._root, dvc, pattern, self._workspace.hashes)
        if reason:
            raise UsageError(
                self._doing,
                f"`{self._command}` ended well, but {pattern} is not of this run: {reason}",
                hint="let the command run the stage that writes it; `dvc status` says more",
            )

    def _left(self, moved: Aside) -> list[str]:
        """What must have been written and was not, unless an earlier run of Assent has left it:
        of that nobody wants what is not written again.
        """
        known = self._earlier.outputs
        must = [pattern for pattern in self._expected.must if pattern in self._aside]
        return [
            name
            for name in moved.unwritten()
            if any(covers(pattern, name) for pattern in must)
            and (name not in moved.gone or known.get(name) != moved.digest(name))
        ]

    def _is_updated(self, name: str) -> bool:
        """Whether a file, or all that is in a folder, is updated by the command."""
        inside = f"{name}/any"
        return any(
            covers(pattern, name) or covers(pattern, inside) for pattern in self._incremental
        )

    def _is_own(self, name: str) -> bool:
        path, digest = self._root / name, self._expected.own.get(name)
        return (
            digest is not None and path.is_file() and self._workspace.hashes.digest(path) == digest
        )

    def _is_shown(self, name: str) -> bool:
        return any(covers(pattern, name) for pattern in self._expected.shown)


_REMEDY = (
    "let the command write it, take it away, or name it under `incremental` in assent.yaml if it "
    "is updated or skipped on purpose"
)


def _require_no_token(workspace: Workspace, doing: str) -> None:
    """Raise `PolicyError` where the team's command could read a token that may write: it is not in
    its own environment, but in that of the processes around it.
    """
    exposed = workspace.context.exposed
    if not exposed:
        return
    raise PolicyError(
        doing,
        f"this job holds {' and '.join(exposed)}, which the command could read and write to the "
        "ledger with",
        hint=workspace.context.without_tokens.format(token=exposed[0]),
    )


def run_step(
    workspace: Workspace,
    command: str,
    inputs_digest: Digest,
    doing: str,
    output: int | IO[bytes] | None,
    lock: int,
) -> tuple[Step, Seen]:
    """Run one of the team's commands with live output: what it took, and what ran."""
    _require_no_token(workspace, doing)
    result = run_command(command, workspace.root, stdout=output, hold=lock)
    command = redact_text(command)
    if result.exit_code != 0:
        raise CommandError(
            doing,
            f"`{command}` ended with exit code {result.exit_code}{_signal_name(result.exit_code)}",
            exit_code=result.exit_code,
            hint="this exit code is the command's own, and so is the output above; nothing was "
            "recorded",
        )
    step = Step(
        command=command,
        inputs_digest=inputs_digest,
        started_at=workspace.machine_now,
        wall_s=round(result.wall_s, 3),
        cpu_s=round(result.cpu_s, 3),
        peak_memory_bytes=result.peak_memory_bytes,
    )
    return step, result.seen


def _signal_name(exit_code: int) -> str:
    """What a shell means by an exit code above 128."""
    try:
        name = signal.Signals(exit_code - 128).name
    except ValueError:
        return ""
    reason = "; often too little memory" if name == "SIGKILL" else ""
    return f" (ended by {name}{reason})"
