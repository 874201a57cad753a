"""The deploy button of a forge: who pressed it and let it through, and what it shows afterwards."""

from __future__ import annotations

import msgspec

from assent.core.change import Review
from assent.core.digest import Digest
from assent.core.entry import Entry, Kind, encode_entry, entry_digest
from assent.core.verdict import Finding, Outcome
from assent.ports import Deployment, DeploymentRequest, View
from assent.recording.versions import registered_from
from assent.workspace import Workspace


def reviews_of(
    workspace: Workspace, request: DeploymentRequest, bundle: Digest, *, is_named: bool = True
) -> list[Review]:
    """The approvals that let this run go on, as approvals of the bundle that it ships. Whoever
    started the run asked for it: their own yes is none. Unless the run was asked for by a name
    that always is this bundle (`is_named`), nobody knows what they meant: what is newest when it
    runs can have been registered after they had looked.
    """
    reviews: list[Review] = []
    for review in request.approvals:
        if not request.is_of_version:
            who = review.person.login
            workspace.say(f"{who} let it through before its version was chosen: not counted")
            continue
        if not is_named:
            workspace.say(
                f"{review.person.login} let a run through that names no version: not counted; "
                "start one that names it"
            )
            continue
        if request.by is not None and review.person.key == request.by.key:
            workspace.say(f"{review.person.login} started this run and let it through: not counted")
            continue
        reviews.append(msgspec.structs.replace(review, bundle=bundle, head=None))
    return reviews


def findings_of(request: DeploymentRequest, environment: str) -> list[Finding]:
    """What the record is to say of a run that went past the reviewers of its environment. It does
    not block: what the policy asks for, it asks for apart from that.
    """
    if not request.is_bypassed:
        return []
    by = "nobody known" if request.by is None else request.by.login
    return [
        Finding(
            rule=f"reviewers of the environment {environment}",
            outcome=Outcome.NOT_APPLICABLE,
            reason="an administrator let the run through without them",
            evidence=f"started by {by}, approved by none of them",
        )
    ]


def show(workspace: Workspace, view: View, entry: Entry, environment: str) -> None:
    """Show on the forge what a stage holds since `entry`, at the commit that was registered: the
    one that it was trained from may be of a fork, or gone.
    """
    subject = entry.subject
    if subject.version is None or subject.bundle is None or entry.stage is None:
        return
    workspace.forge.deployed(
        Deployment(
            model=entry.model,
            stage=entry.stage,
            environment=environment,
            version=subject.version,
            bundle=subject.bundle,
            seq=entry.seq,
            entry=entry_digest(encode_entry(entry)),
            commit=registered_from(view, subject.bundle),
            is_rollback=entry.kind is Kind.ROLLED_BACK,
        )
    )
