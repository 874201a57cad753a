"""What is known of all forges before any is asked."""

from __future__ import annotations

import pytest

from assent.forges.registry import registry_login

GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": "t", "GITHUB_ACTOR": "ada"}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_REGISTRY": "registry.gitlab.com",
    "CI_REGISTRY_USER": "gitlab-ci-token",
    "CI_REGISTRY_PASSWORD": "t",
}


@pytest.mark.threat(23)
@pytest.mark.parametrize(
    ("host", "environ", "name"),
    [
        ("ghcr.io", GITHUB, "ada"),
        ("ghcr.io.example.com", GITHUB, None),
        ("example.com", GITHUB, None),
        ("ghcr.io", {"GITHUB_TOKEN": "t"}, None),
        ("registry.gitlab.com", GITLAB, "gitlab-ci-token"),
        ("example.com", GITLAB, None),
        ("registry.gitlab.com", {**GITLAB, "GITLAB_CI": ""}, None),
    ],
)
def test_the_token_of_a_job_goes_to_the_registry_of_its_forge_alone(
    host: str, environ: dict[str, str], name: str | None
) -> None:
    found = registry_login(environ, host)
    assert (None if found is None else found.username) == name
