"""What the stages hold, as GitHub shows it: deployments and their statuses."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from assent.core.digest import short
from assent.forges.github.api import segment
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.schemas import (
    DeploymentFacts,
    DeploymentStatus,
)
from assent.ports import Deployment

_LONGEST_DESCRIPTION = 140


class _Payload(msgspec.Struct, frozen=True):
    """What we have written to a deployment."""

    model: str
    seq: int


class Deployments:
    """The deployments of one repository."""

    def __init__(self, remote: RemoteRepository) -> None:
        self._remote = remote

    def show(self, deployment: Deployment) -> str:
        """See `Forge.deployed`. A deployment of a later entry is not followed by an older one."""
        newest = self._newest_of(deployment)
        seq = None if newest is None else _seq(newest, deployment.model)
        if newest is not None and seq == deployment.seq:
            self._succeed(newest, deployment)
        elif seq is None or seq < deployment.seq:
            self._succeed(self._create(deployment), deployment)
            if newest is not None:
                self._add_status(newest, {"state": "inactive"})
        return f"{self._remote.facts.html_url}/deployments/{segment(deployment.environment)}"

    def _newest_of(self, deployment: Deployment) -> DeploymentFacts | None:
        """Our newest deployment of this model to this environment; GitHub lists newest first."""
        deployments = self._remote.api.pages(
            self._remote.path("deployments"),
            DeploymentFacts,
            doing=f"reading the deployments to {deployment.environment}",
            parameters={"environment": deployment.environment},
        )
        for facts in deployments:
            is_own = facts.creator is not None and facts.creator.id == self._remote.own.id
            if is_own and _seq(facts, deployment.model) is not None:
                return facts
        return None

    def _create(self, deployment: Deployment) -> DeploymentFacts:
        verb = "rollback" if deployment.is_rollback else "promote"
        sentence = f"{deployment.model} v{deployment.version} ({short(deployment.bundle)})"
        body = {
            "ref": deployment.commit or self._remote.facts.default_branch,
            "environment": deployment.environment,
            "task": f"assent:{verb}",
            "auto_merge": False,
            "required_contexts": [],
            "description": sentence[:_LONGEST_DESCRIPTION],
            "payload": {
                "model": deployment.model,
                "stage": deployment.stage,
                "version": deployment.version,
                "bundle": deployment.bundle,
                "seq": deployment.seq,
                "entry": deployment.entry,
            },
        }

        def find() -> DeploymentFacts | None:
            newest = self._newest_of(deployment)
            is_there = newest is not None and _seq(newest, deployment.model) == deployment.seq
            return newest if is_there else None

        return self._remote.api.write(
            "POST",
            self._remote.path("deployments"),
            body,
            DeploymentFacts,
            doing=f"showing {deployment.model} v{deployment.version} in {deployment.environment}",
            find=find,
        )

    def _succeed(self, created: DeploymentFacts, deployment: Deployment) -> None:
        # Several models may share an environment, so GitHub must not take the others for over.
        body: dict[str, object] = {"state": "success", "auto_inactive": False}
        ledger = f"{self._remote.facts.html_url}/commits/assent/{segment(deployment.model)}"
        address = deployment.address or ledger
        body |= {"environment_url": address, "log_url": address}
        self._add_status(created, body)

    def _add_status(self, deployment: DeploymentFacts, body: Mapping[str, object]) -> None:
        """Add a status unless the newest one says the same."""
        path = self._remote.path("deployments", deployment.id, "statuses")
        doing = f"writing the status of deployment {deployment.id}"

        def find() -> DeploymentStatus | None:
            statuses = list(self._remote.api.pages(path, DeploymentStatus, doing=doing))
            newest = max(statuses, key=lambda status: status.id, default=None)
            return newest if newest is not None and newest.state == body["state"] else None

        if find() is None:
            self._remote.api.write("POST", path, body, DeploymentStatus, doing=doing, find=find)


def _seq(deployment: DeploymentFacts, model: str) -> int | None:
    """The ledger entry that a deployment of this model shows; None for any other deployment."""
    try:
        content = bytes(deployment.payload)
        if content.startswith(b'"'):
            content = msgspec.json.decode(content, type=str).encode()
        payload = msgspec.json.decode(content, type=_Payload)
    except (msgspec.MsgspecError, UnicodeError):
        return None
    return payload.seq if payload.model == model else None
