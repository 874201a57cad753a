"""What a change does to the rules that it is judged by, and to what guards them."""

from __future__ import annotations

import msgspec

from assent.config.read import read_config
from assent.config.settings import FILE, Config
from assent.core.change import Change
from assent.errors import AssentError
from assent.policy.rule_words import differences
from assent.policy.rules import rule_changes
from assent.workspace import Workspace


def proposed_config(workspace: Workspace, change: Change) -> tuple[Config | None, str]:
    """The configuration that a change brings. Where the change is not checked out it is read from
    its revision, as data; None, and why, if that cannot be done.
    """
    repository = workspace.repository
    head = repository.resolve("HEAD")
    if not workspace.is_in_ci or head in (change.head, change.commit):
        return workspace.config, ""
    path = repository.relative(workspace.root / FILE)
    try:
        repository.bring("origin", change.head)
        text = repository.show(change.head, path)
        if text is None:
            return None, f"{path} is deleted"
        return read_config(text, f"{path} of {change.id}"), ""
    except AssentError as error:
        return None, f"{path} of {change.id} cannot be read: {error.problem}"


def rule_changes_of(workspace: Workspace, model: str, proposed: Config) -> tuple[str, ...]:
    """What a change does to the rules: the policy, how the model is made, who the people are, and
    where bytes and decisions are kept.
    """
    base = workspace.base_config()
    if base is None or model not in base.policies:
        return ()
    if model not in proposed.policies:
        return (f"the model {model} is taken out of {FILE}",)
    old, new = (_settings(config, model) for config in (base, proposed))
    policy = rule_changes(base.policies[model], proposed.policies[model])
    return (*policy, *differences(old, new))


def _settings(config: Config, model: str) -> dict[str, object]:
    """What a configuration says beside the policy of a model; data sets in their long form."""
    settings = config.models[model]
    return {
        "ledger": config.ledger,
        "store": config.store,
        "people": msgspec.to_builtins(config.people),
        **msgspec.to_builtins(settings),
        "data": msgspec.to_builtins(settings.data_sets),
    }


def guarding_files(workspace: Workspace, change: Change) -> tuple[str, ...]:
    """The files that guard the base branch and that are other ones in this change. One that only
    the base branch has changed since looks the same from here, and is named as well.
    """
    repository, base = workspace.repository, workspace.base
    if base is None or change.landed or repository.resolve(change.head) is None:
        return ()
    branch = workspace.base_branch or "the base branch"
    return tuple(
        f"{path} differs from that of {branch}"
        for path in workspace.forge_files.guarding
        if repository.id_of(base, path) != repository.id_of(change.head, path)
    )
