"""What every verb works on: one configuration, its repository, and the three ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from assent.config.read import read_config
from assent.config.settings import FILE, Config, ModelSettings
from assent.core.change import Change
from assent.core.clock import Clock, Start, clock_of, wrong_clock
from assent.core.context import Context
from assent.core.digest import Digest
from assent.core.evidence import Run
from assent.core.inspection import Inspection
from assent.core.nearest import meant
from assent.core.registry import rfc3339
from assent.errors import OutsideError, PolicyError, UsageError
from assent.git import BaseBranch, Repository, steering
from assent.measure.hashes import Hashes
from assent.policy.rules import Policy
from assent.ports import Forge, ForgeFiles, Ledger, Store

FETCH_BASE = (
    "fetch it, for example with `git fetch origin main:refs/remotes/origin/main`; "
    "a branch of another name is found by `git remote set-head origin --auto`"
)


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """One run of Assent. `root` holds `assent.yaml`; `base` is the newest commit of the base
    branch, or None in a repository without one; `forge_files` are what forges read from the
    repository; `context` is the CI run; `folder_store` opens a folder of another job as a store,
    `store_at` and `ledger_at` whatever an address names, as `store_address` names `store`; `start`
    is when the run began; `environ` is what commands run with; `say` shows progress to the person
    who waits.
    """

    root: Path
    config: Config
    repository: Repository
    branch: BaseBranch
    forge: Forge
    forge_files: ForgeFiles
    store: Store
    ledger: Ledger
    context: Context
    folder_store: Callable[[Path], Store]
    store_at: Callable[[str], Store]
    store_address: str
    ledger_at: Callable[[str], Ledger]
    start: Start
    environ: Mapping[str, str]
    say: Callable[[str], None]

    @property
    def run(self) -> Run | None:
        """The CI run, or None outside CI."""
        return self.context.run

    @property
    def is_in_ci(self) -> bool:
        """Whether this is a run of CI, of whichever system."""
        return self.context.system is not None

    @property
    def is_in_forge_ci(self) -> bool:
        """Whether this is a run of the CI of the forge itself, which knows who did what."""
        return self.context.is_of_forge

    @cached_property
    def clock(self) -> Clock:
        """The clock that decisions go by: the forge's, and this machine's where there is none."""
        return clock_of(self.start, self.forge.clock())

    @property
    def now(self) -> str:
        """The time of this run by that clock: of all that is decided and written. RFC 3339."""
        return self.clock.now

    @property
    def machine_now(self) -> str:
        """The same by this machine's clock: of what is measured here. RFC 3339."""
        return rfc3339(self.start.at)

    def require_trusted(self, doing: str) -> None:
        """Raise `PolicyError` unless decisions may be written from here: in CI, by code of the
        branch that changes are merged into, in a checkout that nobody has prepared. Raises
        `OutsideError` if this machine's clock is wrong.
        """
        if self.is_in_ci:
            self.context.require_trusted(self.forge.branch(), doing)
        if self.is_in_forge_ci:
            self._require_plain_clone(doing)
        wrong = wrong_clock(self.clock)
        if wrong is not None:
            hint = "set it (NTP does that by itself), and run the verb again"
            raise OutsideError(doing, wrong, hint=hint)

    def _require_plain_clone(self, doing: str) -> None:
        settings = steering(self.repository, self.context.git_settings)
        if settings:
            way = self.context.new_checkout
            raise PolicyError(
                doing,
                f"the settings of this clone make Git run programs or go elsewhere: "
                f"{', '.join(settings[:5])}",
                hint="a job before this one may have left them: let it begin with a new checkout"
                f"{f' ({way})' if way else ''}, or run on a machine that is thrown away",
            )

    def model(self, name: str | None) -> str:
        """The model that is meant: the one named, or the only one."""
        names = sorted(self.config.models)
        if name is None and len(names) == 1:
            return names[0]
        doing = "choosing the model" if name is None else f"looking for the model {name!r}"
        if name is None:
            raise UsageError(doing, f"{FILE} has several", hint=f"name one: {', '.join(names)}")
        if name not in self.config.models:
            hint = f"{self.root / FILE} has {', '.join(names)}{meant(name, names)}"
            raise UsageError(doing, "there is none of this name", hint=hint)
        return name

    @cached_property
    def hashes(self) -> Hashes:
        """What is known of the files of the working tree, so that none is read twice."""
        return Hashes(self.root, self.work / "hashes.json")

    @cached_property
    def lacking(self) -> set[Digest]:
        """Bundles of which the store was found to lack something during this run."""
        return set()

    @cached_property
    def sound(self) -> set[Digest]:
        """The blobs of the store that this run has looked at, and found to be what they are."""
        return set()

    @cached_property
    def inspected(self) -> dict[Digest, Inspection]:
        """What this run has seen in the files of bundles, of the last few."""
        return {}

    def settings(self, model: str) -> ModelSettings:
        """How the model is made, as the working tree says."""
        return self.config.models[model]

    def others(self, model: str) -> list[ModelSettings]:
        """The settings of the other models."""
        return [other for name, other in self.config.models.items() if name != model]

    @property
    def base_branch(self) -> str | None:
        """The name of the branch that changes are merged into."""
        return self.branch.name

    @property
    def base(self) -> str | None:
        """Its newest commit; None in a repository without one."""
        return self.branch.commit

    @property
    def work(self) -> Path:
        """Where verbs leave what the next verb needs."""
        return self.root / ".assent"

    def base_config(self) -> Config | None:
        """The configuration of the base branch, or None if that has none yet."""
        if self.base is None:
            return None
        path = self.repository.relative(self.root / FILE)
        text = self.repository.show(self.base, path)
        if text is None:
            return None
        name = f"{path} of {self.base_branch or 'the base branch'}"
        return read_config(text, name)

    def base_policy(self, model: str) -> Policy | None:
        """The policy of the base branch, or None if that has no such model yet."""
        config = self.base_config()
        return None if config is None else config.policies.get(model)

    def binding_policy(self, model: str) -> Policy:
        """The policy that decisions are bound by. Raises `UsageError` if the base branch has
        none: rules that nobody has merged bind nobody.
        """
        policy = self.base_policy(model)
        if policy is None:
            self.change()  # says so if there is no commit at all
            doing = f"reading the policy of {model}"
            branch = self.base_branch
            if branch is None:
                raise UsageError(doing, "this clone has no base branch", hint=FETCH_BASE)
            raise UsageError(
                doing,
                f"{branch} has no {FILE} with this model",
                hint=f"commit {FILE} and merge it to {branch} (and push it) first",
            )
        return policy

    def change(self) -> Change:
        """The change of this checkout. Raises `UsageError` in a repository without a commit."""
        change = self.forge.change()
        if change is None:
            raise UsageError(
                "reading the change", "the repository has no commit yet", hint="commit first"
            )
        return change
