"""`doctor`: look at what everything else needs, and at what the forge enforces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from assent.config.settings import FILE
from assent.core.bundle import config_blob, manifest_blob
from assent.core.ledgers import is_in_git
from assent.errors import AssentError, ExitCode, IntegrityError
from assent.judging.pinning import Pinned, pin_names
from assent.ports import Protection, ProtectionState, Source
from assent.recording.namesakes import require_own_name
from assent.recording.reading import read_ledger, require_here
from assent.workspace import FETCH_BASE, Workspace

_OTHER_STORE = "`store` in assent.yaml says where it is: docs/stores.md"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Something that every verb needs, whether it is there, and what to do if it is not."""

    name: str
    is_fine: bool
    said: str
    hint: str = ""


class DoctorResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at. `guards` are None if the forge was not asked; `is_strict` counts a
    missing protection as a problem. `pinned` says which names were bound to accounts, if that was
    asked for.
    """

    checks: tuple[Check, ...]
    guards: tuple[Protection, ...] | None = None
    is_strict: bool = False
    pinned: Pinned | None = None

    @property
    def exit_code(self) -> ExitCode:
        """0, 2 if something is missing that the verbs need, 10 if `is_strict` and the forge does
        not enforce, or does not tell, all that it could.
        """
        if not all(check.is_fine for check in self.checks):
            return ExitCode.USAGE
        weak = [guard for guard in self.guards or () if guard.state is not ProtectionState.ENFORCED]
        return ExitCode.BLOCKED if self.is_strict and weak else ExitCode.DONE


def doctor(
    workspace: Workspace,
    models: Sequence[str],
    *,
    forge: bool = False,
    strict: bool = False,
    fix: bool = False,
    store: bool = False,
) -> DoctorResult:
    """Look at the configuration, the base branch, the store and the ledgers of `models`; with
    `forge` also at what the forge enforces here, as far as this token can read it. Changes nothing
    but, with `fix`, names in `assent.yaml` of the working tree that are not bound to an account,
    and writes nothing but, with `store`, a few bytes into the store, which are read again, and an
    object that names nothing beside a ledger in a bucket.
    """
    checks = [
        _checked("base branch", lambda: _base(workspace), FETCH_BASE),
        *(_checked(f"policy of {model}", partial(_policy, workspace, model)) for model in models),
        *(_checked(f"name of {model}", partial(_name, workspace, model)) for model in models),
        *(_checked(f"ledger of {model}", partial(_ledger, workspace, model)) for model in models),
        _checked("place of the ledger", partial(_place, workspace, is_tried=store)),
        _checked("store", lambda: _store(workspace, models, is_tried=store), _OTHER_STORE),
        *(_abilities(workspace) if store else ()),
        _checked("decisions from here", lambda: _trust(workspace)),
    ]
    guards = None
    if forge:
        rules = [workspace.config.policies[model] for model in models]
        stages = list(dict.fromkeys(stage for rule in rules for stage in rule.stages))
        guards = workspace.forge.guards.protections(
            models=models,
            environments=stages,
            has_ledgers=is_in_git(workspace.config.ledger),
        )
    bound = pin_names(workspace, models) if fix else None
    return DoctorResult(checks=tuple(checks), guards=guards, is_strict=strict, pinned=bound)


def _checked(name: str, look: Callable[[], str], hint: str = "") -> Check:
    try:
        return Check(name=name, is_fine=True, said=look())
    except AssentError as error:
        return Check(name=name, is_fine=False, said=str(error), hint=error.hint or hint)


def _base(workspace: Workspace) -> str:
    if workspace.base is None:
        return f"{workspace.base_branch or 'none'}, which has no commit here: {FETCH_BASE}"
    return f"{workspace.base_branch} at {workspace.base[:12]}"


def _policy(workspace: Workspace, model: str) -> str:
    policy = workspace.binding_policy(model)
    stages = ", ".join(policy.stages) or "no stages"
    return f"{len(policy.gates)} gates, {policy.approvals.count} approvals, {stages}"


def _name(workspace: Workspace, model: str) -> str:
    require_own_name(workspace, model, f"looking for other models called {model}")
    return "no other file that Git tracks declares a model of this name"


def _ledger(workspace: Workspace, model: str) -> str:
    view = read_ledger(workspace, model)
    require_here(workspace, view, "looking at")
    state = view.state
    if state.seq < 0:
        return f"empty: nothing of {model} is registered yet"
    return f"{state.versions} versions, {state.seq + 1} entries"


def _place(workspace: Workspace, *, is_tried: bool) -> str:
    address = workspace.config.ledger
    if is_in_git(address):
        return "branches assent/<model>"
    if not is_tried:
        return f"{address}; --store tries whether it may be written"
    workspace.ledger.require_writable()
    return f"{address}, where an object is created only if there is none, as it must be"


def _store(workspace: Workspace, models: Sequence[str], *, is_tried: bool) -> str:
    store = workspace.store
    there = sum(len(store.pointers(model)) for model in models)
    held = f"{there} {'pointer' if there == 1 else 'pointers'}"
    if not is_tried:
        return f"may be read, and holds {held}; --store tries whether it may be written"
    model, evidence = models[0], b"{}"
    config = config_blob(model, ())
    manifest = manifest_blob(model, (), config, evidence)  # of the types that bundles have
    first, _ = store.add([Source(content=config), Source(content=evidence)])
    [bundle] = store.add([Source(content=manifest, is_manifest=True)])
    name = f"{model}/tried/doctor"
    for stored in (first, bundle):  # there are stores in which a name cannot be moved
        store.remember(name, stored.digest)
    if store.read(bundle.digest) != manifest or store.recall(name) != bundle.digest:
        problem = "it does not give back what was written a moment ago"
        raise IntegrityError("trying the store", problem)
    lacking = f"; {store.lacking}" if store.lacking else ""
    return f"may be read and written, and holds {held}{lacking}"


def _abilities(workspace: Workspace) -> list[Check]:
    """What the place can do that the bytes lie in. What it cannot do, is done without."""
    try:
        abilities = workspace.store.abilities
    except AssentError:
        return []  # as the line of the store says
    return [
        Check(name=f"store: {name}", is_fine=True, said=words) for name, words in abilities.items()
    ]


def _trust(workspace: Workspace) -> str:
    workspace.require_trusted("writing to the ledger")
    where = "this run" if workspace.is_in_ci else "this folder"
    address = workspace.config.ledger
    needed = (
        "account may push to assent/*" if is_in_git(address) else f"login may write to {address}"
    )
    return f"may be written by {where}, if its {needed}; see {FILE}"
