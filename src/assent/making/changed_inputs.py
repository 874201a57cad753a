"""What two revisions have in common, read from Git as data: nothing of them is checked out.

A job that judges has no data: it cannot hash what the job that trained has read. What stands in
Git it can compare: code, parameters, pointers (`*.dvc`, `dvc.lock`, Git LFS), and the paths that
links lead to.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from assent.config.read import read_config
from assent.config.settings import FILE, ModelSettings
from assent.core.evidence import Evidence
from assent.errors import AssentError
from assent.files import as_text
from assent.making.dvc import LOCK, POINTER, Dvc, ReadText, read_dvc
from assent.making.inputs import InputNames, patterns_of, rerun, say_changed
from assent.making.keepsakes import is_document
from assent.making.notebooks import cells_digest
from assent.making.outputs import Outputs, declared_by, known_outputs, outputs_of
from assent.making.upstream import Others
from assent.measure.patterns import covers, relates
from assent.workspace import Workspace

_MAX_LINKS = 10_000
_GITLINK = "160000"
_HOW = "how the model is made has changed"


class Between(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two commits: `inputs` of the model by path, and `others` that are none
    and no outputs either. `how` says that the model is made in another way.
    """

    inputs: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    how: str = ""

    @property
    def reason(self) -> str:
        """What of the inputs has changed; empty if nothing did."""
        return self.how or say_changed(self.inputs)


def difference(
    workspace: Workspace, model: str, old: str, new: str, read: Collection[str] = ()
) -> str:
    """What differs between two commits of all that a model is made from, as `train.py has
    changed`; empty if nothing does. Data that is not in Git, and has no pointer there, is not
    seen here. `read` are inputs by name as whoever made the model has found them: a variable of
    that job may have named one.

    Raises `OutsideError` if one of them cannot be fetched.
    """
    return between(workspace, model, old, new, read).reason


def between(
    workspace: Workspace, model: str, old: str, new: str, read: Collection[str] = ()
) -> Between:
    """As `difference`, with all paths."""
    repository = workspace.repository
    remote = workspace.branch.remote or "origin"
    for commit in (old, new):
        repository.bring(remote, commit)
    models = [_models(workspace, commit) for commit in (old, new)]
    before = models[0].get(model)
    is_same = before is not None and _made(models[0], model) == _made(models[1], model)
    how = "" if is_same else _HOW
    if before is None or old == new or repository.tree(old) == repository.tree(new):
        return Between(how=how)
    inputs, others = _files(workspace, model, models[0], (old, new), read)
    return Between(inputs=inputs, others=others, how=how)


def brings_inputs(workspace: Workspace, model: str, old: str, new: str) -> bool:
    """Whether the commit that declares a model also changes files that the model is made from, by
    what it declares; also where that cannot be told.
    """
    models = _models(workspace, new)
    try:
        return model not in models or bool(_files(workspace, model, models, (old, new), ())[0])
    except AssentError:
        return True


def _files(
    workspace: Workspace,
    model: str,
    models: Mapping[str, ModelSettings],
    commits: tuple[str, str],
    read: Collection[str],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files that differ between two commits: inputs of the model by what `models` say, and
    others that are neither inputs nor outputs.
    """
    repository, before = workspace.repository, models[model]
    old, new = commits
    root = repository.relative(workspace.root)
    prefix = "" if root == "." else f"{root}/"
    served = f"{prefix}{posixpath.normpath(before.model)}" if before.train is None else None
    names, submodules = _changed(workspace, model, old, new, served)
    here = [as_text(name.removeprefix(prefix)) for name in names if name.startswith(prefix)]
    beside = [other for name, other in models.items() if name != model]
    known = _Known(workspace, before, beside, prefix, commits, read)
    modules = {as_text(submodule.removeprefix(prefix)) for submodule in submodules}
    inputs = [name for name in here if known.is_input(name, is_submodule=name in modules)]
    others = [
        *(name for name in here if name not in inputs and not known.is_made(name)),
        *(as_text(name) for name in names if not name.startswith(prefix)),
    ]
    return tuple(inputs), tuple(others)


def _changed(
    workspace: Workspace, model: str, old: str, new: str, served: str | None
) -> tuple[list[str], frozenset[str]]:
    """The paths that differ between two commits, and those of them that are submodules. Whether a
    file may be run counts for the one or the folder that is `served`, and for no other.
    """
    parts = workspace.repository.names(
        *("diff", "--raw", "--no-renames", "--no-ext-diff", "--ignore-submodules=none"),
        *("-z", old, new, "--"),
        doing=f"looking for changed inputs of {model}",
    )
    facts = [
        (fact, name)
        for fact, name in zip(parts[::2], parts[1::2], strict=True)
        if not _is_same_content(fact) or (served is not None and covers(served, as_text(name)))
    ]
    modules = {name for fact, name in facts if _GITLINK in fact[:15]}
    return [name for _, name in facts], frozenset(modules)


def _is_same_content(fact: str) -> bool:
    """Whether of two files only the mode differs: `:100644 100755 0123abc 0123abc M`."""
    old_mode, mode, old, new, _ = fact[1:].split(" ", 4)
    return old == new and old_mode.startswith("100") and mode.startswith("100")


def foreign(workspace: Workspace, model: str, evidence: Evidence, commit: str) -> str:
    """Why evidence is not of what a commit holds, as far as Git knows; empty if it is.

    Evidence of a tree with uncommitted changes is of no commit, and of a commit that cannot be
    had neither.
    """
    code = evidence.code
    if code.commit is None:
        return "made from no commit"
    made = f"made from {code.commit[:12]}"
    if code.is_dirty:
        names = ", ".join(code.changed[:3])
        return f"{made} with uncommitted changes" + (f" of {names}" if names else "")
    if code.commit == commit or code.tree == workspace.repository.tree(commit):
        return ""
    try:
        reason = difference(workspace, model, code.commit, commit, evidence.inputs)
    except AssentError as error:
        return f"{made}, which cannot be compared: {error.problem}"
    return f"{made}, and {reason} since" if reason else ""


class _Known:
    """What two revisions say of the inputs of a model."""

    def __init__(
        self,
        workspace: Workspace,
        settings: ModelSettings,
        others: Sequence[ModelSettings],
        prefix: str,
        commits: tuple[str, str],
        read: Collection[str],
    ) -> None:
        self._read = frozenset(read)
        self._reads = [_reader(workspace, prefix, commit) for commit in commits]
        above = Others(others).above(declared_by(settings))
        self._rerun = frozenset(name for setting in (settings, *above) for name in rerun(setting))
        self._patterns = [pattern for each in (settings, *above) for pattern in patterns_of(each)]
        own = outputs_of(settings).own
        self._dvc = [_dvc(reader, [*self._patterns, *own]) for reader in self._reads]
        self.outputs: Outputs = _common(
            settings, [known_outputs(settings, dvc, others) for dvc in self._dvc], self._dvc
        )
        self._inputs = InputNames(settings, self.outputs, others)
        self._targets = _link_targets(workspace, prefix, self._patterns, commits)

    def is_input(self, name: str, *, is_submodule: bool = False) -> bool:
        """Whether a change of this file is one of an input: the file itself, a pointer to one,
        where a link among the inputs leads to, or a submodule that may hold one.
        """
        if name in self._rerun and self._has_same_cells(name):
            return False
        if name in self._read:
            return True
        if is_submodule and any(
            relates(pattern, name) for pattern in (*self._patterns, *self._targets)
        ):
            return True
        if self._inputs.cover(name):
            return True
        if name in self.outputs.written:
            return False
        if any(covers(target, name) for target in self._targets):
            return not self.outputs.cover(name)
        if posixpath.basename(name) == ".gitattributes":
            return True  # it may change the bytes of any file below
        if posixpath.basename(name) == LOCK:
            return name != LOCK or self._locks_differ()
        return name.endswith(POINTER) and self._points_to_input(name)

    def is_made(self, name: str) -> bool:
        """Whether a file is an output that is declared: what is only said to be written, and what
        people keep beside it, nobody looks at elsewhere.
        """
        if name in self.outputs.written or is_document(name):
            return False
        return self.outputs.cover(name)

    def _has_same_cells(self, name: str) -> bool:
        """Whether both revisions of a notebook differ only in what executing it writes."""
        texts = [read(name) for read in self._reads]
        cells = {None if text is None else cells_digest(text) for text in texts}
        return len(cells) == 1 and None not in cells

    def _points_to_input(self, name: str) -> bool:
        for read in self._reads:
            dvc = _dvc(read, [name])
            for target in (locked.path for targets in dvc.pointers.values() for locked in targets):
                if any(relates(pattern, target) for pattern in (*self._patterns, *self._targets)):
                    return True
        return False

    def _locks_differ(self) -> bool:
        """Whether what the stages have read is something else, code and data; what they have
        written is their business.
        """
        old, new = (
            {dep.path: dep.digest for stage in dvc.locked for dep in stage.deps}
            for dvc in self._dvc
        )
        return any(
            old.get(path) != new.get(path)
            for path in old.keys() | new.keys()
            if not self.outputs.cover(path)
        )


def _common(settings: ModelSettings, known: Sequence[Outputs], dvc: Sequence[Dvc]) -> Outputs:
    """The outputs by both revisions: a change cannot call its own code an output. A pointer to
    outputs is one if every revision that has it says so.
    """
    first, second = known
    derived = sorted({*first.derived} & {*second.derived})
    written = outputs_of(settings).written
    pointers = [
        name
        for name in dict.fromkeys((*first.written, *second.written))
        if all(
            name in outputs.written
            for outputs, each in zip(known, dvc, strict=True)
            if name in each.pointers
        )
    ]
    return msgspec.structs.replace(
        first, derived=tuple(derived), written=tuple(dict.fromkeys((*written, *pointers)))
    )


def _made(models: Mapping[str, ModelSettings], model: str) -> list[ModelSettings]:
    """The settings, and those of models whose outputs may be read, without what does not change
    the bytes of the model or its evidence.
    """
    settings = models.get(model)
    if settings is None:
        return []
    others = Others(other for name, other in models.items() if name != model)
    above = others.above(declared_by(settings))
    return [msgspec.structs.replace(made, incremental=()) for made in (settings, *above)]


def _dvc(read: ReadText, names: Iterable[str]) -> Dvc:
    """What DVC's files say at a revision. What cannot be read says nothing: then the files are
    compared by their names.
    """
    try:
        return read_dvc(read, names)
    except AssentError:
        return Dvc()


def _reader(workspace: Workspace, prefix: str, commit: str) -> ReadText:
    return lambda name: workspace.repository.show(commit, f"{prefix}{name}")


def _link_targets(
    workspace: Workspace, prefix: str, patterns: Iterable[str], commits: Iterable[str]
) -> tuple[str, ...]:
    """Where links lead that are inputs, or folders of them, below the root, at each commit."""
    targets: dict[str, None] = {}
    for commit in commits:
        links = workspace.repository.links(commit, most=_MAX_LINKS)
        if links is None:
            return (".",)  # too many to follow: then every file may be an input
        waiting = list(patterns)
        while waiting:
            pattern = waiting.pop()
            for link, target in links.items():
                name = link.removeprefix(prefix)
                if not link.startswith(prefix) or not relates(pattern, name):
                    continue
                place = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
                if place not in targets and not place.startswith(("..", "/")):
                    targets[place] = None
                    waiting.append(place)
    return tuple(targets)


def _models(workspace: Workspace, commit: str) -> dict[str, ModelSettings]:
    path = workspace.repository.relative(workspace.root / FILE)
    text = workspace.repository.show(commit, path)
    try:
        config = None if text is None else read_config(text, f"{path} of {commit[:12]}")
    except AssentError:
        return {}
    return {} if config is None else {**config.models}
