"""How a registry lets us in, and what is said where it does not."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.core.digest import digest_of
from assent.errors import OutsideError
from assent.ports import BlobState, Source
from assent.stores.credentials import Credentials
from assent.stores.oci import OciStore, open_store
from assent.stores.registry import Registry
from tests.stores.proxies import Fault, proxied
from tests.stores.registries import Server, registry, with_password
from tests.stores.tokens import IDENTITY, NAME, PASSWORD, Tokens, token_server

CONTENT = b"weights"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Tokens]]:
    folder = tmp_path_factory.mktemp("guarded")
    with (
        token_server(folder) as tokens,
        registry(folder / "registry", tokens.settings) as server,
    ):
        yield server, tokens


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("plain")
    with registry(folder / "registry", with_password(folder)) as server:
        yield server


def opened(host: str, known: Credentials | None, name: str = "team/models") -> OciStore:
    return OciStore(Registry(host, name, lambda: known, wait=lambda _: None))


def person(name: str = NAME, password: str = PASSWORD) -> Credentials:
    return Credentials(username=name, password=password, origin="a test")


def test_a_token_is_asked_for_with_the_login(guarded: tuple[Server, Tokens]) -> None:
    server, tokens = guarded
    tokens.asked.clear()
    store = opened(server.host, person())
    [stored] = store.add([Source(content=CONTENT)])
    assert store.read(stored.digest) == CONTENT
    assert ("repository:team/models:pull,push", NAME) in {
        (_in_order(scope), name) for scope, name in tokens.asked
    }
    assert len(tokens.asked) <= 2  # to read, and to write: no token for each request


def _in_order(scope: str) -> str:
    kind, name, actions = scope.split(":")
    return f"{kind}:{name}:{','.join(sorted(actions.split(',')))}"


def test_an_identity_token_is_exchanged(guarded: tuple[Server, Tokens]) -> None:
    server, _ = guarded
    store = opened(server.host, Credentials(identity_token=IDENTITY, origin="a helper"))
    [stored] = store.add([Source(content=b"by identity")])
    assert stored.is_new


def test_whoever_is_nobody_may_read_what_is_public(guarded: tuple[Server, Tokens]) -> None:
    server, _ = guarded
    opened(server.host, person()).add([Source(content=CONTENT)])
    assert opened(server.host, None).read(digest_of(CONTENT)) == CONTENT


@pytest.mark.parametrize(
    ("known", "said"),
    [(None, "nobody is logged in"), (person(password="wrong"), "logged in by a test")],
)
def test_whoever_may_not_write_is_told_how_to_log_in(
    guarded: tuple[Server, Tokens], known: Credentials | None, said: str
) -> None:
    server, _ = guarded
    with pytest.raises(OutsideError) as caught:
        opened(server.host, known).add([Source(content=b"of nobody")])
    assert said in str(caught.value.hint)
    assert f"docker login {server.host}" in str(caught.value.hint)
    assert "wrong" not in str(caught.value.hint).replace("wrong password", "")


def test_a_token_that_ends_is_asked_for_again(guarded: tuple[Server, Tokens]) -> None:
    server, tokens = guarded
    store = opened(server.host, person())
    tokens.lasts_s = -3600.0  # it has ended when it is given
    try:
        with pytest.raises(OutsideError):
            store.add([Source(content=b"too late")])
    finally:
        tokens.lasts_s = 300.0
    [stored] = store.add([Source(content=b"too late")])
    assert stored.is_new


@pytest.mark.parametrize("size", [1 << 20, 5 << 20])
def test_a_token_that_ends_in_the_middle_of_a_file(
    guarded: tuple[Server, Tokens], tmp_path: Path, size: int
) -> None:
    server, _ = guarded
    path = tmp_path / "weights.bin"
    path.write_bytes(b"w" * size)
    done: list[int] = []

    def ends(number: int) -> Fault | None:
        is_body = line.asked[number].split()[0] in ("PATCH", "PUT")
        is_first = not any(one.startswith(("PATCH", "PUT")) for one in line.asked[:number])
        return Fault.EXPIRED if is_body and is_first else None

    with proxied(server.host, ends) as line:
        store = opened(line.host, person(), f"team/ends{size}")
        [stored] = store.add([Source(path=path)], done.append)
    assert sum(done) == size
    assert opened(server.host, person(), f"team/ends{size}").check([stored.digest]) == {
        stored.digest: BlobState.SOUND
    }


def test_a_name_and_password_where_that_is_asked_for(plain: Server) -> None:
    store = opened(plain.host, person(password="pass"))
    [stored] = store.add([Source(content=CONTENT)])
    assert opened(plain.host, person(password="pass")).read(stored.digest) == CONTENT
    for known in (None, person(password="wrong")):
        with pytest.raises(OutsideError, match="401"):
            opened(plain.host, known).read(stored.digest)


def test_many_files_are_let_in_at_once(plain: Server, tmp_path: Path) -> None:
    for number in range(16):
        (tmp_path / str(number)).write_bytes(b"file %d" % number)
    store = opened(plain.host, person(password="pass"), "team/many")
    stored = store.add([Source(path=path) for path in sorted(tmp_path.iterdir())])
    assert all(one.is_new for one in stored)


def test_the_login_of_docker_is_used(plain: Server, tmp_path: Path) -> None:
    auth = base64.b64encode(b"ada:pass").decode()
    config = {"auths": {plain.host: {"auth": auth}}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    store = open_store(f"oci://{plain.host}/team/models", {"DOCKER_CONFIG": str(tmp_path)})
    assert store.add([Source(content=b"by docker login")])[0].is_new


def test_passwords_are_not_sent_where_all_can_read_them() -> None:
    line = Registry("registry.example.com", "team/models", person)
    with pytest.raises(OutsideError, match="where all can read them"):
        line.token({"realm": "http://tokens.example.com/"}, "reading")
