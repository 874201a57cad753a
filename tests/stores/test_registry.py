"""How a registry lets us in, and what is said where it does not."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from assent.core.digest import digest_of
from assent.errors import IntegrityError, OutsideError
from assent.ports import BlobState, Credentials, Source, Wanted
from assent.stores.line import Line
from assent.stores.logins import challenges
from assent.stores.oci import OciStore, open_store
from assent.stores.registry import Registry
from tests.serving import Connection, answering
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
    mine = b"nobody has written this before"
    [stored] = store.add([Source(content=mine)])
    assert store.read(stored.digest) == mine
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


def test_a_login_on_the_machine_goes_before_that_of_the_job(plain: Server, tmp_path: Path) -> None:
    address = f"oci://{plain.host}/team/models"
    nobody = {"DOCKER_CONFIG": str(tmp_path)}
    job = open_store(address, nobody, of_job=lambda _: person(password="pass"))
    assert job.add([Source(content=b"by the job")])[0].is_new
    auth = base64.b64encode(b"ada:wrong").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {plain.host: {"auth": auth}}}))
    with pytest.raises(OutsideError, match="401"):
        open_store(address, nobody, of_job=lambda _: person(password="pass")).read(
            digest_of(CONTENT)
        )


def test_passwords_are_not_sent_where_all_can_read_them() -> None:
    line = Line("registry.example.com", "team/models", person)
    asked = challenges('Bearer realm="http://tokens.example.com/"')
    with pytest.raises(OutsideError, match="where all can read them"):
        line.logins.log_in(asked, None, is_writing=False, doing="reading")


@pytest.mark.threat(23)
def test_where_a_registry_keeps_its_bytes_gets_no_login_whatever_it_asks_for() -> None:
    asked: list[str | None] = []

    class Elsewhere(Connection):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Authorization"))
            self.send_response_only(401)
            self.send_header("WWW-Authenticate", 'Basic realm="give me your password"')
            self.send_header("Content-Length", "0")
            self.end_headers()

    class Sending(Connection):
        def do_GET(self) -> None:
            is_known = self.headers.get("Authorization") is not None
            self.send_response_only(307 if is_known else 401)
            self.send_header("Location", f"http://{other}/blob")
            self.send_header("WWW-Authenticate", 'Basic realm="models"')
            self.send_header("Content-Length", "0")
            self.end_headers()

    with answering(Elsewhere) as other, answering(Sending) as first:
        store = opened(first, person())
        with pytest.raises(OutsideError, match="401"):
            store.read(digest_of(CONTENT))
    assert asked == [None]


@pytest.mark.threat(23)
def test_who_gives_tokens_sends_the_login_nowhere_else() -> None:
    asked: list[str] = []

    class Elsewhere(Connection):
        def do_POST(self) -> None:
            asked.append(self.path)

        do_GET = do_POST

    class Sending(Connection):
        def do_GET(self) -> None:
            is_token = self.path.startswith("/token")
            self.send_response_only(307 if is_token else 401)
            self.send_header("Location", f"http://{other}/token")
            self.send_header("WWW-Authenticate", 'Bearer realm="/token",service="models"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET

    known = (person(), Credentials(identity_token=IDENTITY, origin="a test"))
    with answering(Elsewhere) as other, answering(Sending) as first:
        for one in known:
            with pytest.raises(OutsideError, match="307"):
                opened(first, one).read(digest_of(CONTENT))
    assert asked == []


@pytest.mark.threat(23)
def test_netrc_is_not_read_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("default login ada password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    asked: list[str | None] = []

    class Elsewhere(Connection):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Authorization"))
            self.send_response_only(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

    class Sending(Connection):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Authorization"))
            self.send_response_only(307)
            self.send_header("Location", f"http://{other}/blob")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with answering(Elsewhere) as other, answering(Sending) as first:
        store = opened(first, None)
        assert store.read(digest_of(CONTENT)) == CONTENT
    assert asked == [None, None]


@pytest.mark.threat(39)
def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    class Endless(Connection):
        def do_GET(self) -> None:
            self.send_response_only(403)
            self.send_header("Content-Length", str(1 << 40))
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(b"x" * (1 << 20))

    with answering(Endless) as server, pytest.raises(OutsideError, match="HTTP 403"):
        opened(server, None).read(digest_of(CONTENT))


@pytest.mark.threat(27)
@pytest.mark.parametrize(
    ("header", "value", "body"),
    [
        ("Content-Length", "9" * 5000, CONTENT),
        ("Content-Length", "\N{SUPERSCRIPT TWO}", CONTENT),
        ("Transfer-Encoding", "chunked", b"-3\r\nabc\r\n"),
        ("Transfer-Encoding", "chunked", b"f" * 5000 + b"\r\nabc\r\n"),
    ],
)
def test_lengths_that_are_none_end_nothing(header: str, value: str, body: bytes) -> None:
    """A server may say anything; what counts is the digest."""

    class Lying(Connection):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header(header, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

    with answering(Lying) as server:
        store = opened(server, None)
        if body == CONTENT:
            assert store.read(digest_of(CONTENT)) == CONTENT
        else:
            with pytest.raises(OutsideError, match="does not answer as it should"):
                store.read(digest_of(CONTENT))


@pytest.mark.threat(27)
def test_a_range_of_a_size_that_is_none_is_not_believed(tmp_path: Path) -> None:
    class Lying(Connection):
        def do_GET(self) -> None:
            is_more = self.headers.get("Range") is not None
            self.send_response_only(206 if is_more else 200)
            self.send_header("Content-Range", f"bytes {'9' * 5000}-/9")
            self.send_header("Content-Length", str(len(CONTENT) if not is_more else 1))
            self.end_headers()
            self.wfile.write(b"x" if is_more else CONTENT[:1])
            self.close_connection = True

    with answering(Lying) as server:
        store = opened(server, None)
        wanted = Wanted(digest=digest_of(CONTENT), size_bytes=len(CONTENT), path=tmp_path / "x")
        with pytest.raises((IntegrityError, OutsideError)):
            store.fetch([wanted])
    assert not wanted.path.exists()


@pytest.mark.threat(38)
@pytest.mark.parametrize(
    "where", ["https://bytes.example.com/x?sig=hunter2", "http://[::1?sig=hunter2"]
)
def test_an_address_that_a_registry_leads_to_is_not_shown(where: str) -> None:
    """It may be signed."""

    class Leading(Connection):
        def do_HEAD(self) -> None:
            self.send_response_only(404)
            self.end_headers()

        def do_POST(self) -> None:
            self.send_response_only(307)
            self.send_header("Location", where)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with answering(Leading) as server:
        store = opened(server, None)
        with pytest.raises(OutsideError) as told:
            store.add([Source(content=CONTENT)])
    assert "hunter2" not in f"{told.value} {told.value.hint}"
