"""The policy of one model: what `assent.yaml` says about gates, approvals and stages."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from assent.core.approval import ANYONE
from assent.core.diff.metrics import Better
from assent.core.digest import Digest, digest_of_value
from assent.core.identity import unpinned
from assent.core.units import span_s
from assent.policy.gates import Gate
from assent.policy.rule_words import differences

Count = Annotated[int, Meta(ge=0, le=100)]
Address = Annotated[str, Meta(pattern=r"^(\*|[^@\s*]+)@[^@\s*]+$")]
Addresses = tuple[Address, ...]
Who = Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)]


def _require_names(who: tuple[str, ...]) -> None:
    for entry in who:
        name, pin = unpinned(entry)
        if pin is not None and (not name or not pin or name in (ANYONE, "codeowners")):
            raise ValueError(f"{entry!r} pins nothing: write login#number, or @group#number")


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of every rule."""


class ApprovalRule(Struct, frozen=True, kw_only=True):
    """`count` people of `from` must approve; `author: true` lets the author of the change be one
    of them. `unmapped` are addresses in commits without an account behind which there is nobody
    who might approve.
    """

    count: Count = 1
    from_: Who = msgspec.field(default=(ANYONE,), name="from")
    author: bool = False
    unmapped: Addresses = ()

    def __post_init__(self) -> None:
        """Refuse a pin that names nothing."""
        _require_names(self.from_)


class RollbackRule(Struct, frozen=True, kw_only=True):
    """How many approvals going back to an earlier version of a stage needs."""

    approvals: Count = 0


class OverrideRule(Struct, frozen=True, kw_only=True):
    """Who may override a block, with a reason that is recorded."""

    from_: Who = msgspec.field(name="from")

    def __post_init__(self) -> None:
        """Refuse a pin that names nothing."""
        _require_names(self.from_)


class StageRule(Struct, frozen=True, kw_only=True):
    """A version enters the stage only `after` another one, and after a `soak` there."""

    after: str | None = None
    soak: str | None = None
    approvals: ApprovalRule | None = None
    rollback: RollbackRule = RollbackRule()

    def __post_init__(self) -> None:
        """Refuse a soak that is no span of time, or that has no stage to be spent in, and what
        says something of the change in a stage, which has none.
        """
        if self.soak is not None:
            span_s(self.soak)
            if self.after is None:
                raise ValueError("soak needs `after`: the stage to spend the time in")
        if self.approvals is not None and self.approvals.unmapped:
            raise ValueError("`unmapped` belongs to the approvals of the model, not of a stage")


class PolicyFields(Struct, frozen=True, kw_only=True):
    """The policy without its gates: what one type can say. `directions` says which way is better
    for metrics whose name does not; a name may hold `*`. `primary` is the metric that people are
    shown first where no gate is on one. With `notify: true` a comment calls those who may approve
    by their names.
    """

    approvals: ApprovalRule = ApprovalRule()
    stages: dict[str, StageRule] = {}
    without_baseline: Literal["allow", "block"] = "allow"
    override: OverrideRule | None = None
    directions: dict[str, Better] = {}
    primary: Annotated[str, Meta(min_length=1)] | None = None
    notify: bool = False


class Policy(PolicyFields, frozen=True, kw_only=True):
    """Everything a verdict is judged by."""

    gates: tuple[Gate, ...]

    @property
    def digest(self) -> Digest:
        """The digest that decisions record. Neither order and layout of the file nor a default
        that is spelled out change it.
        """
        return digest_of_value(_stated(self))


def rule_changes(base: Policy, proposed: Policy) -> tuple[str, ...]:
    """What a change does to the rules, in a sentence for each."""
    if base.digest == proposed.digest:
        return ()
    return tuple(differences(_whole(base), _whole(proposed)))


def _whole(policy: Policy) -> Any:
    """A policy with its defaults, so that both sides of a change are told; of gates, what they
    state.
    """
    return {**_set(msgspec.to_builtins(policy)), "gates": _stated(policy.gates)}


def _set(value: Any) -> Any:
    """What is set, without nulls."""
    if isinstance(value, dict):
        return {key: _set(item) for key, item in value.items() if item is not None}
    return value


def _stated(value: Any) -> Any:
    """What rules say beyond the defaults. (msgspec's `omit_defaults` compares by identity, so that
    `from: ["*"]` would differ from a `from` that is left out.)
    """
    match value:
        case msgspec.Struct():
            stated = (
                (field, getattr(value, field.name)) for field in msgspec.structs.fields(value)
            )
            return {
                field.encode_name: _stated(item)
                for field, item in stated
                if item != _default(field)
            }
        case dict():
            return {name: _stated(item) for name, item in value.items()}
        case tuple():
            return [_stated(item) for item in value]
        case _:
            return value


def _default(field: msgspec.structs.FieldInfo) -> Any:
    factory = field.default_factory
    return field.default if factory is msgspec.NODEFAULT else factory()
