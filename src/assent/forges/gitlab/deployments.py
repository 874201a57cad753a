"""What the stages hold, as GitLab shows it."""

from __future__ import annotations

from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.runs import Runs
from assent.forges.gitlab.schemas import Commit, DeploymentFacts
from assent.ports import Deployment


class Deployments:
    """The deployments of one project."""

    def __init__(self, remote: RemoteRepository, runs: Runs) -> None:
        self._remote = remote
        self._runs = runs

    def show(self, deployment: Deployment) -> str:
        """See `Forge.deployed`. For a job with `environment:` GitLab shows it by itself."""
        job = self._remote.job
        made = None if job is None else self._runs.deployment(deployment.environment, job)
        if made is None:
            made = self._newest_of(deployment)
            if made is None or made.sha != self._sha(deployment):
                made = self._create(deployment)
        address = f"{self._remote.facts.web_url}/-/environments"
        return address if made.environment is None else f"{address}/{made.environment.id}"

    def _sha(self, deployment: Deployment) -> str:
        return deployment.commit or self._tip

    @property
    def _tip(self) -> str:
        """The newest commit of the default branch."""
        path = self._remote.path("repository", "commits", self._remote.branch)
        doing = f"reading the newest commit of {self._remote.branch}"
        return self._remote.api.get(path, Commit, doing=doing).id

    def _newest_of(self, deployment: Deployment) -> DeploymentFacts | None:
        """Our newest deployment of this model to this environment. GitLab keeps nothing with a
        deployment but its commit and the name of a reference: that of the ledger tells the model.
        """
        deployments = self._remote.api.pages(
            self._remote.path("deployments"),
            DeploymentFacts,
            doing=f"reading the deployments to {deployment.environment}",
            parameters={
                "environment": deployment.environment,
                "order_by": "id",
                "sort": "desc",
            },
        )
        for facts in deployments:
            is_own = facts.user is not None and facts.user.id == self._remote.own.id
            if is_own and facts.deployable is None and facts.ref == _reference(deployment):
                return facts
        return None

    def _create(self, deployment: Deployment) -> DeploymentFacts:
        sha = self._sha(deployment)

        def find() -> DeploymentFacts | None:
            newest = self._newest_of(deployment)
            return newest if newest is not None and newest.sha == sha else None

        return self._remote.api.write(
            "POST",
            self._remote.path("deployments"),
            {
                "environment": deployment.environment,
                "sha": sha,
                "ref": _reference(deployment),
                "tag": False,
                "status": "success",
            },
            DeploymentFacts,
            doing=f"showing {deployment.model} v{deployment.version} in {deployment.environment}",
            find=find,
        )


def _reference(deployment: Deployment) -> str:
    return f"assent/{deployment.model}"
