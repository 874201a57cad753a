"""Logins are found where the tools of containers keep them, and nowhere else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from assent.errors import UsageError
from assent.ports import Credentials
from assent.stores.credentials import DOCKER_HUB, credentials_for, credentials_given

HOST = "registry.example.com"


def auth(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def written(folder: Path, config: object) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return {"DOCKER_CONFIG": str(folder)}


def helper(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.parametrize(
    "key", [HOST, f"https://{HOST}", f"https://{HOST}/v1/", f"https://{HOST}/"]
)
def test_what_docker_login_has_kept(tmp_path: Path, key: str) -> None:
    environ = written(tmp_path, {"auths": {key: {"auth": auth("ada:pass:word")}}})
    found = credentials_for(HOST, environ)
    assert found is not None
    assert (found.username, found.password) == ("ada", "pass:word")
    assert credentials_for("other.example.com", environ, home=tmp_path / "home") is None


def test_docker_hub_is_kept_under_its_first_address(tmp_path: Path) -> None:
    config = {"auths": {"https://index.docker.io/v1/": {"auth": auth("ada:pass")}}}
    found = credentials_for(DOCKER_HUB, written(tmp_path, config))
    assert found is not None
    assert found.username == "ada"


def test_an_identity_token(tmp_path: Path) -> None:
    config = {"auths": {HOST: {"auth": auth("x:"), "identitytoken": "long"}}}
    assert credentials_for(HOST, written(tmp_path, config)) == Credentials(
        identity_token="long", origin=str(tmp_path / "config.json")
    )


def test_the_home_folder_and_podmans_files(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    config = json.dumps({"auths": {HOST: {"auth": auth("home:pass")}}})
    (tmp_path / ".docker" / "config.json").write_text(config)
    found = credentials_for(HOST, {}, home=tmp_path)
    assert found is not None
    assert found.username == "home"
    (tmp_path / "auth.json").write_text(config.replace(auth("home:pass"), auth("podman:pass")))
    environ = {"REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")}
    found = credentials_for(HOST, environ, home=tmp_path)
    assert found is not None
    assert found.username == "podman"


@pytest.mark.parametrize("where", [{"credsStore": "box"}, {"credHelpers": {HOST: "box"}}])
def test_a_helper_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: dict[str, Any]
) -> None:
    script = (
        f'read host; test "$host" = {HOST} || exit 1\necho \'{{"Username":"ada","Secret":"s"}}\''
    )
    helper(tmp_path, "box", script, monkeypatch)
    found = credentials_for(HOST, written(tmp_path / "docker", where))
    assert found == Credentials(username="ada", password="s", origin="docker-credential-box")


def test_a_helper_gives_an_identity_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, "box", 'echo \'{"Username":"<token>","Secret":"long"}\'', monkeypatch)
    found = credentials_for(HOST, written(tmp_path / "docker", {"credsStore": "box"}))
    assert found == Credentials(identity_token="long", origin="docker-credential-box")


def test_a_helper_that_knows_nothing_leaves_it_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(tmp_path, "box", "exit 1", monkeypatch)
    config = {"credsStore": "box", "auths": {HOST: {"auth": auth("ada:pass")}}}
    found = credentials_for(HOST, written(tmp_path / "docker", config))
    assert found is not None
    assert found.username == "ada"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ([], "no JSON object"),
        ({"auths": {HOST: {"auth": "%%%"}}}, "no name with a password"),
        ({"auths": {HOST: {"auth": auth("nobody")}}}, "no name with a password"),
        ({"credsStore": "../../bin/sh"}, "cannot be the name"),
        ({"credsStore": "not-installed"}, "cannot be asked"),
    ],
)
def test_a_login_that_cannot_be_used_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: object, said: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=said):
        credentials_for(HOST, written(tmp_path, config))


@pytest.mark.parametrize("answer", ["", "[]", '{"Username":1,"Secret":"s"}'])
def test_a_helper_that_answers_with_nonsense(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    helper(tmp_path, "box", f"echo '{answer}'", monkeypatch)
    with pytest.raises(UsageError, match="no name and secret"):
        credentials_for(HOST, written(tmp_path / "docker", {"credsStore": "box"}))


def test_a_helper_that_cannot_look_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked keychain is not nobody."""
    environ = written(tmp_path / "docker", {"credsStore": "box"})
    said: list[str] = []
    helper(tmp_path, "box", "echo the keychain is locked; exit 1", monkeypatch)
    assert credentials_for(HOST, environ, say=said.append, home=tmp_path) is None
    assert len(said) == 1
    assert said[0].endswith("docker-credential-box gives none: the keychain is locked")
    helper(tmp_path, "box", "echo credentials not found in native keychain; exit 1", monkeypatch)
    assert credentials_for(HOST, environ, say=said.append, home=tmp_path) is None
    assert len(said) == 1


@pytest.mark.parametrize(
    ("name", "user"),
    [("acme/churn/assent", "churn"), ("acme/other", "acme"), ("acmes/other", "host"), ("", "host")],
)
def test_the_longest_key_that_fits_is_taken(tmp_path: Path, name: str, user: str) -> None:
    keys = {HOST: "host", f"{HOST}/acme": "acme", f"{HOST}/acme/churn": "churn"}
    config = {"auths": {key: {"auth": auth(f"{one}:pass")} for key, one in keys.items()}}
    found = credentials_for(HOST, written(tmp_path, config), name=name)
    assert found is not None
    assert found.username == user


def test_podman_without_a_session(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "containers"
    folder.mkdir(parents=True)
    config = {"auths": {HOST: {"auth": auth("podman:pass")}}}
    (folder / "auth.json").write_text(json.dumps(config))
    found = credentials_for(HOST, {}, home=tmp_path)
    assert found is not None
    assert found.username == "podman"


def test_the_variable_of_gitlab_ci() -> None:
    config = {"auths": {HOST: {"auth": auth("deploy:token")}}}
    environ = {"DOCKER_AUTH_CONFIG": json.dumps(config)}
    assert credentials_given(HOST, environ) == Credentials(
        username="deploy", password="token", origin="DOCKER_AUTH_CONFIG"
    )
    assert credentials_given("other.example.com", environ) is None
    assert credentials_given(HOST, {}) is None
    with pytest.raises(UsageError, match="DOCKER_AUTH_CONFIG: it is no JSON object"):
        credentials_given(HOST, {"DOCKER_AUTH_CONFIG": "{"})


@pytest.mark.threat(23)
def test_what_is_secret_is_not_shown() -> None:
    known = Credentials(username="ada", password="secret", identity_token="long", origin="a file")
    for shown in (repr(known), str(known), f"{known!r:>5}", str(known.__rich_repr__())):
        assert "a file" in shown
        assert "secret" not in shown
        assert "long" not in shown
