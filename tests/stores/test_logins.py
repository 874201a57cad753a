"""What a registry wants to be told before it lets us in, and how often it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import pytest

from assent.core.digest import digest_of, hex_of
from assent.errors import OutsideError
from assent.ports import BlobState, Credentials, NoAccessError, Pointer, Source
from assent.stores.logins import Challenge, challenges, scopes_of
from assent.stores.oci import OciStore, open_store
from assent.stores.registry import Registry
from tests.builders import digest
from tests.contracts.test_store import keep_bundle
from tests.stores import registries
from tests.stores.proxies import proxied
from tests.stores.registries import Server, registry, with_password
from tests.stores.scripted import Asked, Reply, scripted
from tests.stores.tokens import NAME, PASSWORD, Tokens, token_server

CONTENT = b"weights"
ADA = Credentials(username=NAME, password=PASSWORD, origin="a test")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Tokens]]:
    folder = tmp_path_factory.mktemp("guarded")
    with (
        token_server(folder) as tokens,
        registry(folder / "registry", tokens.settings) as server,
    ):
        yield server, tokens


@pytest.fixture
def quay(guarded: tuple[Server, Tokens]) -> Iterator[Server]:
    server, tokens = guarded
    tokens.wants_writers = True
    yield server
    tokens.wants_writers = False


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("plain")
    with registry(folder / "registry", with_password(folder)) as server:
        yield server


def opened(host: str, known: Credentials | None, name: str = "team/models") -> OciStore:
    return OciStore(Registry(host, name, lambda: known, wait=lambda _: None))


def person(password: str = registries.PASSWORD) -> Credentials:
    return Credentials(username=registries.NAME, password=password, origin="a test")


def test_a_bundle_that_is_there_takes_one_login_and_two_requests(
    guarded: tuple[Server, Tokens],
) -> None:
    """Its note of age and its tag. How to log in, the first answer says."""
    server, tokens = guarded
    bundle = keep_bundle(opened(server.host, ADA, "team/kept"), 1)
    manifest = opened(server.host, ADA, "team/kept").read(bundle.digest)
    tokens.asked.clear()
    with proxied(server.host) as line:
        assert opened(line.host, ADA, "team/kept").keeps(manifest)
    used = f"GET /v2/team/kept/manifests/_used.{hex_of(bundle.digest)}"
    tag = f"HEAD /v2/team/kept/manifests/_bundle.{hex_of(bundle.digest)}"
    assert line.asked == [used, used, tag]
    assert tokens.asked == [("repository:team/kept:pull,push", NAME)]


# --- who writes first ---------------------------------------------------------------------------


def test_the_first_writer_asks_as_one(quay: Server) -> None:
    [stored] = opened(quay.host, ADA, "team/added").add([Source(content=CONTENT)])
    assert stored.is_new
    opened(quay.host, ADA, "team/hinted").remember("churn/inputs/3f2a", digest("b1"))
    pointer = Pointer(seq=1, entry=digest("e1"))
    assert opened(quay.host, ADA, "team/pointed").point("churn/stages/production", pointer)


def test_whoever_reads_asks_as_who_reads(guarded: tuple[Server, Tokens]) -> None:
    server, tokens = guarded
    opened(server.host, ADA).add([Source(content=CONTENT)])
    tokens.asked.clear()
    assert opened(server.host, ADA).read(digest_of(CONTENT)) == CONTENT
    assert tokens.asked == [("repository:team/models:pull", NAME)]


def test_nobody_in_particular_asks_for_no_more_than_to_read(
    guarded: tuple[Server, Tokens],
) -> None:
    """There are registries that refuse nobody's wish to write at once, before it is looked whether
    anything has to be written.
    """
    server, tokens = guarded
    opened(server.host, ADA).add([Source(content=CONTENT)])
    tokens.asked.clear()
    [stored] = opened(server.host, None).add([Source(content=CONTENT)])
    assert not stored.is_new
    assert tokens.asked == [("repository:team/models:pull", "")]


# --- who hides what is there --------------------------------------------------------------------


def test_a_registry_that_hides_from_nobody_is_logged_in_to(plain: Server) -> None:
    """Some say 404, and not 401, to whoever has not logged in (Artifactory, Nexus)."""
    opened(plain.host, person()).add([Source(content=CONTENT)])
    with proxied(plain.host, hides=True) as line:
        assert opened(line.host, person()).read(digest_of(CONTENT)) == CONTENT
        store = opened(line.host, person(), "team/hidden")
        assert store.add([Source(content=CONTENT)])[0].is_new
        with pytest.raises(OutsideError, match="401"):
            opened(line.host, person("wrong")).read(digest_of(CONTENT))


def test_it_is_greeted_once_and_not_by_nobody(plain: Server, tmp_path: Path) -> None:
    with scripted(lambda asked: Reply(200 if asked.path == "/v2/" else 404)) as one:
        store = opened(one.host, person())
        for name in ("b1", "b2"):
            assert store.confirm([digest(name)]) == {digest(name): BlobState.MISSING}
        assert [asked.path for asked in one.asked].count("/v2/") == 1
    with scripted(lambda _: Reply(404)) as one:
        opened(one.host, None).confirm([digest("b1")])
        assert "/v2/" not in [asked.path for asked in one.asked]
        (tmp_path / "config.json").write_text('{"credsStore": "not-installed"}')
        broken = open_store(f"oci://{one.host}/team/models", {"DOCKER_CONFIG": str(tmp_path)})
        assert broken.recall("churn/inputs/3f2a") is None


def test_a_login_that_is_no_use_is_said_where_one_is_asked_for(
    plain: Server, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"credsStore": "not-installed"}')
    store = open_store(f"oci://{plain.host}/team/models", {"DOCKER_CONFIG": str(tmp_path)})
    with pytest.raises(NoAccessError, match="docker-credential-not-installed cannot be asked"):
        store.recall("churn/inputs/3f2a")


# --- one for all --------------------------------------------------------------------------------


def test_many_threads_log_in_once(guarded: tuple[Server, Tokens], tmp_path: Path) -> None:
    server, tokens = guarded
    lock, times = Lock(), 0

    def known() -> Credentials:
        nonlocal times
        with lock:
            times += 1
        return ADA

    for number in range(16):
        (tmp_path / str(number)).write_bytes(b"file %d" % number)
    tokens.asked.clear()
    store = OciStore(Registry(server.host, "team/many", known, wait=lambda _: None))
    stored = store.add([Source(path=path) for path in sorted(tmp_path.iterdir())])
    assert all(one.is_new for one in stored)
    assert times == 1
    assert [scope for scope, _ in tokens.asked] == ["repository:team/many:pull,push"]


def test_the_login_of_a_job_goes_before_what_its_images_need(plain: Server) -> None:
    """A team's DOCKER_AUTH_CONFIG may know a token that only reads."""
    address = f"oci://{plain.host}/team/models"
    reads = json.dumps({"auths": {plain.host: {"auth": "YWRhOndyb25n"}}})
    environ = {"DOCKER_CONFIG": "/nonexistent", "DOCKER_AUTH_CONFIG": reads}
    job = open_store(address, environ, of_job=lambda _: person())
    assert job.add([Source(content=b"by a job")])[0].is_new
    with pytest.raises(OutsideError, match="401") as caught:
        open_store(address, environ).read(digest_of(CONTENT))
    assert "logged in by DOCKER_AUTH_CONFIG" in str(caught.value.hint)


# --- what is asked ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "ways"),
    [
        ('Basic realm="x"', [("basic", {"realm": "x"})]),
        ("Basic", [("basic", {})]),
        ("Negotiate, Basic realm=x", [("negotiate", {}), ("basic", {"realm": "x"})]),
        (
            'Bearer realm="https://a/?x=1,y=2",service="s, Basic realm=b", Basic realm="c"',
            [
                ("bearer", {"realm": "https://a/?x=1,y=2", "service": "s, Basic realm=b"}),
                ("basic", {"realm": "c"}),
            ],
        ),
        ('Bearer realm="a",realm="b"', [("bearer", {"realm": "a"})]),
        ('BEARER Realm = "a" , Scope=x:y:z', [("bearer", {"realm": "a", "scope": "x:y:z"})]),
        ("", []),
    ],
)
def test_each_way_in_is_told_apart(header: str, ways: list[tuple[str, dict[str, str]]]) -> None:
    assert challenges(header) == tuple(Challenge(scheme, said) for scheme, said in ways)


@pytest.mark.threat(23)
@pytest.mark.parametrize("turned", [False, True])
def test_a_password_goes_to_who_gives_tokens_alone(turned: bool) -> None:
    """Of two ways in that of tokens is taken, whichever comes first."""

    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            return Reply(body=b'{"token": "abc"}')
        if asked.headers.get("Authorization") == "Bearer abc":
            return Reply(body=CONTENT)
        ways = ['Bearer realm="/token",service="s"', 'Basic realm="/basic"']
        return Reply(401, {"WWW-Authenticate": ", ".join(reversed(ways) if turned else ways)})

    with scripted(answer) as one:
        assert opened(one.host, ADA).read(digest_of(CONTENT)) == CONTENT
        by_password = [
            asked.path
            for asked in one.asked
            if asked.headers.get("Authorization", "").startswith("Basic")
        ]
        [token] = by_password
        assert token == "/token?service=s&scope=repository%3Ateam%2Fmodels%3Apull"
        [asked] = [asked for asked in one.asked if asked.path == token]
        assert asked.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("asked", "actions", "wanted"),
    [
        ("", ("pull",), ["repository:team/models:pull"]),
        ("repository:team/models:pull", ("pull", "push"), ["repository:team/models:pull,push"]),
        (
            "repository:hub/team/models:push,pull",
            ("pull",),
            ["repository:hub/team/models:pull,push"],
        ),
        ("repository:a:5000/models:pull", ("pull",), ["repository:a:5000/models:pull"]),
        ("registry:catalog:*", ("pull",), ["registry:catalog:*"]),
        ("a:b:c repository:x:", ("pull",), ["a:b:c", "repository:x:pull"]),
    ],
)
def test_no_registry_makes_us_ask_for_less(
    asked: str, actions: tuple[str, ...], wanted: list[str]
) -> None:
    assert list(scopes_of(asked, "team/models", actions)) == wanted


def test_an_example_at_the_root_is_not_asked_for() -> None:
    """GHCR names a repository there that is nobody's."""

    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            return Reply(body=b'{"access_token": "abc"}')
        if asked.path == "/v2/":
            ways = 'Bearer realm="/token",scope="repository:user/image:pull"'
            return Reply(401, {"WWW-Authenticate": ways})
        return Reply(body=CONTENT) if "Authorization" in asked.headers else Reply(404)

    with scripted(answer) as one:
        assert opened(one.host, ADA).read(digest_of(CONTENT)) == CONTENT
        [token] = [asked.path for asked in one.asked if asked.path.startswith("/token")]
    assert token == "/token?scope=repository%3Ateam%2Fmodels%3Apull"


@pytest.mark.parametrize(
    "body", ["[]", "{}", '{"token": 5}', '{"token": "a\\nb"}', '{"token": "\\u6f22"}', "<html>"]
)
def test_what_is_no_token_is_not_used(body: str) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            return Reply(body=body.encode())
        return Reply(401, {"WWW-Authenticate": 'Bearer realm="/token"'})

    with scripted(answer) as one, pytest.raises(OutsideError, match="answered with no token"):
        opened(one.host, None).read(digest_of(CONTENT))
