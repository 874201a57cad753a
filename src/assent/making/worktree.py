"""What stands in the working tree: inputs, outputs, what differs from the commit, what is ours."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from assent.config.read import read_config
from assent.config.settings import FILE
from assent.core.digest import Digest
from assent.core.evidence import Code, Evidence
from assent.errors import AssentError, UsageError
from assent.files import as_text
from assent.git import Holders, Repository, changed_within, untracked
from assent.making.dvc import Dvc, read_dvc, working_tree
from assent.making.inputs import (
    Inputs,
    changed_names,
    read_inputs,
    rerun,
    say_changed,
)
from assent.making.keepsakes import beside_outputs, is_document
from assent.making.notebooks import cells_digest
from assent.making.outputs import Outputs, data_of, declared_by, known_outputs, outputs_of
from assent.making.scratch import Trained, Written, kept
from assent.making.upstream import Others
from assent.measure.patterns import covers
from assent.workspace import Workspace

_SHOWN = 5
_MAX_CHANGED = 20


def inputs_of(
    workspace: Workspace,
    model: str,
    *,
    known: Mapping[str, Digest] | None = None,
    products: Mapping[str, Digest] | None = None,
) -> Inputs:
    """What the model is made from, as it lies in the working tree. In CI, data that is not here is
    `known` from the job that has trained: not every job of a run fetches it. `products` are what
    runs have written beside their outputs, if that is not noted yet.
    """
    made, commits = _products(workspace, model, products), _Commits(workspace)
    return read_inputs(
        workspace.root,
        workspace.repository.top,
        workspace.settings(model),
        workspace.hashes,
        {
            name: digest
            for name, digest in made.items()
            if not commits.hold(name)  # somebody has made it a source
        },
        _handed_on(workspace, known or {}),
        workspace.others(model),
        workspace.environ,
    )


def _products(
    workspace: Workspace, model: str, own: Mapping[str, Digest] | None
) -> dict[str, Digest]:
    """What runs have written beside their outputs; also those of models whose own inputs count
    for this one, because it may read what they make. Of several that wrote a file, the last.
    """
    above = Others(workspace.others(model)).above(declared_by(workspace.settings(model)))
    known = [written(workspace, model).products if own is None else own]
    known += [
        written(workspace, name).products
        for name, settings in workspace.config.models.items()
        if name != model and settings in above
    ]
    products: dict[str, Digest] = {}
    for each in known:
        for name, digest in each.items():
            path = workspace.root / name
            if name not in products or (path.is_file() and workspace.hashes.digest(path) == digest):
                products[name] = digest
    return products


def _handed_on(workspace: Workspace, known: Mapping[str, Digest]) -> dict[str, Digest]:
    """What of `known` is neither here nor in Git, where its absence would be a change."""
    if not workspace.is_in_ci:
        return {}
    repository = workspace.repository
    return {
        name: digest
        for name, digest in known.items()
        if not (workspace.root / name).exists()
        and repository.id_of("HEAD", repository.relative(workspace.root / name)) is None
    }


def written(workspace: Workspace, model: str) -> Written:
    """What earlier runs of the model have left here."""
    try:
        return kept(workspace.work, model, "written", Written) or Written()
    except UsageError:
        return Written()  # damaged: then nothing is known to be ours


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What a command has left among its inputs: the `inputs` as they are now, without its
    `products` and those of earlier runs; `fresh` are the names of its own.
    """

    inputs: Inputs
    products: dict[str, Digest]
    fresh: tuple[str, ...]


def left_by(
    workspace: Workspace,
    model: str,
    before: Inputs,
    doing: str,
    *,
    products: Mapping[str, Digest],
    is_training: bool = False,
    awaited: Mapping[str, Digest] | None = None,
) -> Left:
    """What a command wrote among the files that the patterns of its inputs cover. `awaited` is what
    pointers have said of inputs that the command was to fetch, `products` those of earlier runs.

    Raises `UsageError` if what was there before has changed meanwhile, and Git tracks it or
    `assent.yaml` declares it: then it is not known what the model was made from.
    """
    settings, commits = workspace.settings(model), _Commits(workspace)
    after = inputs_of(workspace, model, known=None if is_training else before.files)
    fetched = [name for name, digest in (awaited or {}).items() if after.files.get(name) == digest]
    names = [name for name in changed_names(before.files, after.files) if name not in fetched]
    declared = (*settings.inputs, *settings.params, *data_of(settings))
    kept = [
        name
        for name in names
        if name in (before.of_training if is_training else before.files)
        and (any(covers(pattern, name) for pattern in declared) or commits.hold(name))
    ]
    if kept:
        raise UsageError(
            doing,
            f"while the command ran, {say_changed(kept)}: nobody knows what it was made from",
            hint="if the command writes there, take the file away, or out of `inputs` and "
            "`params`; if somebody else did, run it again",
        )
    fresh = {
        name: after.files[name]
        for name in names
        if name in after.files
        and not (name in before.files and commits.hold(name))
        and not commits.have_brought(name)
    }
    if fresh:
        workspace.say(f"{doing}: written by the run itself, so no inputs: {some_of([*fresh])}")
    all_products = {**products, **fresh}
    if fresh:
        known = None if is_training else before.files
        after = inputs_of(workspace, model, known=known, products=all_products)
    return Left(inputs=after, products=all_products, fresh=tuple(fresh))


class _Commits:
    """What the commits of the repository and of its submodules hold, each of which is asked once:
    for as long as nothing is changed.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._root = workspace.root
        self._repository = workspace.repository
        self._holders = Holders(workspace.repository)
        self._changed: dict[Path, frozenset[str]] = {}

    def hold(self, name: str) -> bool:
        """Whether one of them holds a file."""
        repository, inner = self._of(name)
        return repository.id_of("HEAD", inner) is not None

    def have_brought(self, name: str) -> bool:
        """Whether a file has come with a submodule, as its commit has it."""
        repository, inner = self._of(name)
        if repository is self._repository or repository.id_of("HEAD", inner) is None:
            return False
        if repository.top not in self._changed:
            self._changed[repository.top] = frozenset(repository.changed_files())
        return inner not in self._changed[repository.top]

    def _of(self, name: str) -> tuple[Repository, str]:
        return self._holders.of(self._repository.relative(self._root / name))


def tracked_beside(workspace: Workspace, patterns: Sequence[str]) -> list[str]:
    """The placeholders and documents in the folders of outputs that Git tracks."""
    names = beside_outputs(workspace.root, patterns)
    if not names or workspace.repository.resolve("HEAD") is None:
        return []
    repository = workspace.repository
    known = repository.names("ls-files", "-z", "--full-name", doing="looking for tracked files")
    tracked = frozenset(known)
    return [name for name in names if repository.relative(workspace.root / name) in tracked]


def documents_of(
    workspace: Workspace, model: str, known: Mapping[str, Digest] | None = None
) -> frozenset[str]:
    """The documents of people in the folder of a model that is trained: Git tracks them, and no
    run wrote them, so that they are no part of it. `known` is what runs have written.
    """
    settings = workspace.settings(model)
    if settings.train is None or not (workspace.root / settings.model).is_dir():
        return frozenset()
    made = written(workspace, model).outputs if known is None else known
    return frozenset(
        name
        for name in tracked_beside(workspace, [posixpath.normpath(settings.model)])
        if is_document(name)
        and name not in made
        and not any(covers(pattern, name) for pattern in settings.incremental)
    )


def not_as_left(workspace: Workspace, trained: Trained) -> list[str]:
    """The files of evidence that training has written and that are others now."""
    root = workspace.root
    return [
        name
        for name, digest in trained.written.items()
        if not (root / name).is_file() or workspace.hashes.digest(root / name) != digest
    ]


def is_of_other_dirt(workspace: Workspace, evidence: Evidence, inputs: Inputs) -> bool:
    """Whether evidence is of a tree with changes that are not here: what its inputs do not name
    may have been other code, and nothing is reused from it.
    """
    if not evidence.code.is_dirty:
        return False
    return not is_same_code(
        workspace, evidence.code, read_code(workspace, inputs=inputs.files), inputs
    )


def is_same_code(workspace: Workspace, made: Code, here: Code, inputs: Inputs) -> bool:
    """Whether what was made at one state of the working tree is of another one. Of uncommitted
    changes only names are kept, so that each of them must be an input, whose bytes are known.
    """
    if (made.commit, made.is_dirty, made.changed) != (here.commit, here.is_dirty, here.changed):
        return False
    repository = workspace.repository
    known = {repository.relative(workspace.root / name) for name in (*inputs.files, FILE)}
    return len(made.changed) < _MAX_CHANGED and known.issuperset(made.changed)


def say_inputs(workspace: Workspace, doing: str, inputs: Inputs) -> None:
    """Say what of the declared inputs is none, and what is not as its pointer says."""
    if inputs.left_out:
        workspace.say(
            f"{doing}: left out of the inputs, because runs write them: {some_of(inputs.left_out)}"
        )
    if inputs.products:
        workspace.say(
            f"{doing}: left out of the inputs, because an earlier run wrote them or they came "
            f"while it ran: {some_of(inputs.products)}"
        )
    for name in inputs.estranged:
        workspace.say(
            f"{doing}: {name} is not what its .dvc file says, and counts as it lies here "
            "(`dvc add` or `dvc checkout` brings them together)"
        )


def outputs(workspace: Workspace, model: str) -> tuple[Outputs, Dvc]:
    """What the commands of the model write, and what DVC knows of it."""
    settings = workspace.settings(model)
    own = outputs_of(settings).own
    dvc = read_dvc(working_tree(workspace.root), [*settings.inputs, *own])
    return known_outputs(settings, dvc, workspace.others(model)), dvc


def read_code(
    workspace: Workspace, touched: Iterable[str] = (), *, inputs: Collection[str] = ()
) -> Code:
    """The revision of the working tree and its authors. Outputs, and tracked files that a run has
    `touched`, are not what somebody forgot to commit; those of `inputs` that Git would track are.

    In a forge's CI the evidence names nobody: a job that runs the code of a change has no token
    to ask who they are, and would not be believed. Whoever judges the bundle asks.
    """
    repository = workspace.repository
    head = repository.resolve("HEAD")
    if head is None:
        return Code(branch=repository.branch(), is_dirty=True)
    change = None if workspace.is_in_forge_ci else workspace.forge.change()
    authors = () if change is None else change.authors
    dirty = [name for name in changed_files(workspace, inputs) if name not in set(touched)]
    dirty += forgotten(workspace, inputs)
    return Code(
        commit=head,
        tree=repository.tree(head),
        branch=repository.branch(),
        is_dirty=bool(dirty),
        changed=tuple(map(as_text, dirty[:_MAX_CHANGED])),
        authors=tuple(author.person for author in authors if author.person is not None),
    )


def forgotten(workspace: Workspace, inputs: Collection[str]) -> list[str]:
    """Inputs that Git neither has nor ignores, here or in a submodule, or that lie in a repository
    that nobody has added. In CI nobody has forgotten them: a job that trains
    from a fresh checkout has fetched them.
    """
    if workspace.context.system is not None or not inputs:
        return []
    repository = workspace.repository
    root = repository.relative(workspace.root)
    prefix = "" if root == "." else f"{root}/"
    full = {f"{prefix}{name}" for name in inputs}
    new = untracked(repository, full)
    folders = tuple(name for name in new if name.endswith("/"))
    return sorted((full & {*new}) | {name for name in full if folders and name.startswith(folders)})


def changed_files(workspace: Workspace, inputs: Collection[str] = ()) -> list[str]:
    """The tracked files that differ from the commit and are no outputs of any model, or are among
    `inputs` all the same.
    """
    root = workspace.repository.relative(workspace.root)
    prefix = "" if root == "." else f"{root}/"
    names = differing(workspace.repository)
    if not names:
        return []
    known = [outputs(workspace, model)[0] for model in workspace.config.models]
    notebooks = {
        prefix + name for model in workspace.config.models.values() for name in rerun(model)
    }
    return [
        name
        for name in names
        if not (name in notebooks and _has_same_cells(workspace, name))
        and (
            (name.startswith(prefix) and name.removeprefix(prefix) in inputs)
            or not (
                any(model_outputs.cover(name.removeprefix(prefix)) for model_outputs in known)
                if name.startswith(prefix)
                else _is_output_elsewhere(workspace, name)
            )
        )
    ]


def differing(repository: Repository) -> list[str]:
    """The tracked files that differ from the commit. A submodule at its commit is looked into."""
    names: list[str] = []
    for name in repository.changed_files():
        inside = changed_within(repository, name) if (repository.top / name).is_dir() else None
        names += [name] if inside is None else inside
    return names


def _has_same_cells(workspace: Workspace, name: str) -> bool:
    """Whether a notebook that commands execute in place differs from the commit in nothing but
    what that writes.
    """
    here = working_tree(workspace.repository.top)(name)
    there = workspace.repository.show("HEAD", name)
    if here is None or there is None:
        return False
    cells = cells_digest(here)
    return cells is not None and cells == cells_digest(there)


def _is_output_elsewhere(workspace: Workspace, name: str) -> bool:
    """Whether a file outside of this project is an output of the project that it lies in."""
    top = workspace.repository.top
    for folder in (top / name).parents:
        place = folder / FILE
        if folder == workspace.root or not folder.is_relative_to(top):
            break
        if place.is_file():
            try:
                config = read_config(place.read_bytes(), str(place))
            except (AssentError, OSError):
                return False
            inner = (top / name).relative_to(folder).as_posix()
            return any(outputs_of(model).cover(inner) for model in config.models.values())
    return False


def some_of(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
