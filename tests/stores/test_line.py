"""What registries, and what stands in front of them, are known to answer."""

from __future__ import annotations

import hashlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from pathlib import Path

import pytest

import requests
from assent.core.bundle import MANIFEST_MEDIA_TYPE
from assent.core.digest import Digest, digest_of
from assent.errors import AssentError, OutsideError
from assent.ports import BlobState, NoAccessError, Source
from assent.stores.line import PATIENCE_S, PAUSES_S, Line, is_same_server
from assent.stores.oci import OciStore
from assent.stores.registry import Registry
from tests.builders import digest
from tests.serving import serving
from tests.stores.keeping import keeping
from tests.stores.proxies import Fault, proxied
from tests.stores.registries import Server, registry
from tests.stores.scripted import Asked, Reply, Scripted, scripted
from tests.stores.tokens import self_signed
from tests.waiting import wait_until

NAME = "team/models"
CONTENT = bytes(range(256)) * 40_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with registry(tmp_path_factory.mktemp("registry")) as started:
        yield started


class Waits(list[float]):
    """How long was waited."""


def line_to(host: str, name: str = NAME, waits: Waits | None = None) -> Registry:
    return Registry(host, name, lambda: None, wait=(Waits() if waits is None else waits).append)


def refused(host: str) -> AssentError:
    """What is said where a manifest cannot be written."""
    waits = Waits()
    with pytest.raises(AssentError) as caught:
        line_to(host, waits=waits).put_manifest("churn-v1", b"{}", MANIFEST_MEDIA_TYPE)
    assert waits == []
    return caught.value


# --- breaks -------------------------------------------------------------------------------------


def test_attempts_are_counted_anew_where_bytes_have_come(server: Server) -> None:
    store = OciStore(line_to(server.host))
    [stored] = store.add([Source(content=CONTENT)])
    times = len(PAUSES_S) + 4
    with proxied(server.host, lambda number: Fault.HALF_GOT if number < times else None) as line:
        waits = Waits()
        found = OciStore(line_to(line.host, waits=waits)).check([stored.digest])
    assert found == {stored.digest: BlobState.SOUND}
    assert waits == [PAUSES_S[0]] * times


def test_so_are_those_of_a_file_that_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(CONTENT)
    times = len(PAUSES_S) + 4
    bodies = count()

    def breaks(number: int) -> Fault | None:
        is_body = line.asked[number].startswith("PATCH")
        return Fault.HALF_SENT if is_body and next(bodies) < times else None

    with keeping() as kept, proxied(kept.host, breaks) as line:
        waits = Waits()
        OciStore(line_to(line.host, waits=waits)).add([Source(path=path)])
        assert kept.blobs == {digest_of(CONTENT): CONTENT}
    assert len(waits) == times
    assert max(waits) < PAUSES_S[-1]


def test_a_line_that_brings_nothing_is_given_up(server: Server) -> None:
    with proxied(server.host, lambda _: Fault.REFUSED) as line:
        waits = Waits()
        with pytest.raises(NoAccessError, match=r"127\.0\.0\.1: Remote end closed"):
            line_to(line.host, waits=waits).holds("blobs", digest("b1"))
    assert tuple(waits) == PAUSES_S


def test_an_upload_of_which_nothing_or_one_byte_came_is_begun_anew(tmp_path: Path) -> None:
    """`Range: 0-0` says either."""
    path = tmp_path / "weights.bin"
    path.write_bytes(CONTENT)
    with keeping() as kept, proxied(kept.host, {2: Fault.REFUSED}.get) as line:
        OciStore(line_to(line.host)).add([Source(path=path)])
        methods = [one.split()[0] for one in line.asked]
        assert kept.blobs == {digest_of(CONTENT): CONTENT}
    assert methods == ["HEAD", "POST", "PATCH", "HEAD", "GET", "POST", "PATCH", "PUT"]


@pytest.mark.parametrize("status", [425, 429, 503, 520, 522, 524])
def test_what_may_pass_is_asked_again(status: int) -> None:
    numbers = count()
    with scripted(lambda _: Reply(status if next(numbers) == 0 else 200)) as one:
        waits = Waits()
        assert line_to(one.host, waits=waits).holds("blobs", digest("b1"))
    assert waits == [PAUSES_S[0]]


def test_how_long_a_registry_wants_to_be_left_alone_is_said() -> None:
    busy = Reply(429, {"Retry-After": "3600"})
    with scripted(lambda _: busy) as one:
        with pytest.raises(NoAccessError, match=r"HTTP 429.*, and asks to wait for 3600 s"):
            line_to(one.host).holds("blobs", digest("b1"))
        assert len(one.asked) == 1
    assert PATIENCE_S < 3600


# --- bytes --------------------------------------------------------------------------------------


def poured(one: Scripted) -> bytes:
    found: list[bytes] = []
    assert line_to(one.host).pour("blobs", digest_of(CONTENT), found.append)
    return b"".join(found)


def test_a_line_that_breaks_behind_the_last_byte() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(416) if "Range" in asked.headers else Reply(body=CONTENT, ends_early=True)

    with scripted(answer) as one:
        assert poured(one) == CONTENT
        assert one.asked[1].headers["Range"] == f"bytes={len(CONTENT)}-"


@pytest.mark.parametrize("first", [0, 10])
def test_a_part_that_begins_earlier_than_it_was_asked_for(first: int) -> None:
    half = len(CONTENT) // 2
    whole = f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}"

    def answer(asked: Asked) -> Reply:
        if "Range" not in asked.headers:
            return Reply(body=CONTENT[:half], ends_early=True)
        return Reply(206, {"Content-Range": whole}, CONTENT[first:])

    with scripted(answer) as one:
        assert poured(one) == CONTENT


def test_a_part_of_other_bytes_is_not_taken() -> None:
    def answer(asked: Asked) -> Reply:
        if "Range" not in asked.headers:
            return Reply(body=CONTENT[:10], ends_early=True)
        return Reply(206, {"Content-Range": "bytes 11-19/20"}, CONTENT[11:20])

    with scripted(answer) as one, pytest.raises(NoAccessError, match="other bytes"):
        poured(one)


def test_a_registry_that_takes_no_empty_file_is_told_which(tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    path.touch()

    def answer(asked: Asked) -> Reply:
        if asked.method == "HEAD":
            return Reply(404)
        where = {"Location": "/v2/team/models/blobs/uploads/1"}
        return Reply(202, where) if asked.method == "POST" else Reply(400)

    with scripted(answer) as one:
        with pytest.raises(OutsideError) as caught:
            OciStore(line_to(one.host)).add([Source(path=path)])
        assert one.asked[-1].headers["Content-Length"] == "0"
        assert one.asked[-1].headers["Content-Type"] == "application/octet-stream"
    assert str(path) in str(caught.value)
    assert "no empty file" in str(caught.value.hint)


def test_a_file_that_became_shorter_is_no_broken_line(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(CONTENT)
    waits = Waits()
    with pytest.raises(OutsideError, match="became shorter"):
        line_to(server.host, waits=waits).put_file(
            digest("b1"), path, len(CONTENT) + 5, lambda _: None
        )
    assert waits == []


@pytest.mark.parametrize("size", [5, 5 << 20])
def test_a_file_that_is_gone_is_said(server: Server, tmp_path: Path, size: int) -> None:
    with pytest.raises(OutsideError, match="No such file"):
        line_to(server.host).put_file(digest("b1"), tmp_path / "gone", size, lambda _: None)


def test_a_manifest_that_the_registry_rewrites_is_not_taken_for_ours() -> None:
    other = {"Docker-Content-Digest": str(digest("other"))}
    with (
        scripted(lambda _: Reply(201, other)) as one,
        pytest.raises(OutsideError, match=digest("other")),
    ):
        line_to(one.host).put_manifest("churn-v1", b"{}", MANIFEST_MEDIA_TYPE)


# --- lists --------------------------------------------------------------------------------------


def test_a_list_without_end_is_not_read_for_ever() -> None:
    following = {"Link": '</v2/team/models/tags/list?n=1000&last=a>; rel="next"'}
    with scripted(lambda _: Reply(200, following, b'{"tags": ["a"]}')) as one:
        with pytest.raises(OutsideError, match="no end after 2 pages"):
            line_to(one.host).tags(("a",))
        assert len(one.asked) == 2


def test_a_page_that_is_missing_is_no_end() -> None:
    following = {"Link": '</v2/team/models/tags/list?n=1000&last=a>; rel="next"'}
    numbers = count()

    def answer(_: Asked) -> Reply:
        return Reply(200, following, b'{"tags": ["a"]}') if next(numbers) == 0 else Reply(404)

    with scripted(answer) as one, pytest.raises(OutsideError, match="HTTP 404"):
        line_to(one.host).tags(("a",))


@pytest.mark.parametrize(("body", "said"), [(b'{"tags": 5}', "no tags"), (b"<html>", "no JSON")])
def test_what_lists_nothing_is_no_registry(body: bytes, said: str) -> None:
    with scripted(lambda _: Reply(200, {}, body)) as one, pytest.raises(OutsideError, match=said):
        line_to(one.host).tags(("a",))


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "hint"),
    [
        (Reply(307, {"Location": "https://registry.example.com/v2/"}), "name that registry"),
        (Reply(400, body=b'{"errors":[{"code":"TAG_INVALID"}]}'), "tags have to be movable"),
        (Reply(412), "tags have to be movable"),
        (Reply(404, body=b'{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}'), "run the verb again"),
        (Reply(404), "there may be no repository"),
        (Reply(413), "of this size"),
        (Reply(403), "docker login"),
    ],
)
def test_each_refusal_says_what_may_help(reply: Reply, hint: str) -> None:
    with scripted(lambda _: reply) as one:
        assert hint in str(refused(one.host).hint)


def test_what_keeps_the_bytes_is_named_and_no_login_is_asked_for() -> None:
    """A clock that is wrong ends there, as a link that has run out."""
    with scripted(lambda _: Reply(403)) as storage:
        place = f"http://localhost:{storage.host.split(':')[1]}/blob"
        with (
            scripted(lambda _: Reply(307, {"Location": place})) as one,
            pytest.raises(OutsideError, match="localhost: HTTP 403") as caught,
        ):
            line_to(one.host).read("blobs", digest("b1"), most=10)
    assert not isinstance(caught.value, NoAccessError)
    assert "docker login" not in str(caught.value.hint)
    assert "clock" in str(caught.value.hint)


@pytest.mark.threat(23)
def test_an_address_that_is_none_gives_no_secret_away() -> None:
    for place in ("ftp://elsewhere.example.com/?sig=secret", "https://[::1?sig=secret"):
        with scripted(lambda _, to=place: Reply(307, {"Location": to})) as one:  # type: ignore[misc]
            waits = Waits()
            with pytest.raises(NoAccessError) as caught:
                line_to(one.host, waits=waits).read("blobs", digest("b1"), most=10)
        assert "secret=" not in str(caught.value)
        assert "sig" not in str(caught.value)
        assert waits == []


def test_a_registry_that_leads_in_circles() -> None:
    with scripted(lambda asked: Reply(307, {"Location": asked.path + "x"})) as one:
        waits = Waits()
        with pytest.raises(NoAccessError, match="leads in circles"):
            line_to(one.host, waits=waits).read("blobs", digest("b1"), most=10)
        assert waits == []


def test_a_certificate_that_is_not_trusted_is_said_at_once(tmp_path: Path) -> None:
    with (
        secret_server(tmp_path) as place,
        scripted(lambda _: Reply(307, {"Location": place})) as one,
    ):
        waits = Waits()
        with pytest.raises(
            NoAccessError, match=r"certificate of 127\.0\.0\.1 is not one"
        ) as caught:
            line_to(one.host, waits=waits).read("blobs", digest("b1"), most=10)
    assert waits == []
    assert "REQUESTS_CA_BUNDLE" in str(caught.value.hint)


@contextmanager
def secret_server(folder: Path) -> Iterator[str]:
    """A server whose certificate nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(folder))
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with serving(server) as host:
            yield f"https://{host}/"


# --- where it goes ------------------------------------------------------------------------------


def test_nothing_of_this_machine_goes_through_a_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    [stored] = OciStore(line_to(server.host)).add([Source(content=b"of this machine")])
    assert stored.digest == Digest(f"sha256:{hashlib.sha256(b'of this machine').hexdigest()}")


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("https://registry.example.com/v2/", "https://registry.example.com:443/x", True),
        ("https://registry.example.com/v2/", "https://Registry.Example.com/x", True),
        ("https://registry.example.com/v2/", "http://registry.example.com/x", False),
        ("https://registry.example.com/v2/", "https://registry.example.com:8443/x", False),
        ("https://registry.example.com/v2/", "https://registry.example.com.org/x", False),
    ],
)
def test_one_server_may_be_written_in_two_ways(one: str, other: str, is_one: bool) -> None:
    assert is_same_server(one, other) is is_one


def test_bytes_are_sent_in_secret_if_the_registry_is() -> None:
    line = Line("registry.example.com", NAME, lambda: None)
    root = f"{line.root}/v2/"
    behind = line.here(root, "http://registry.example.com:5000/v2/uploads/1?state=x", "writing")
    assert behind == "https://registry.example.com/v2/uploads/1?state=x"
    assert line.here(root, "uploads/1", "writing") == f"{root}uploads/1"
    same = "https://uploads.example.com/1"
    assert line.here(root, same, "writing") == same
    with pytest.raises(OutsideError, match=r"uploads\.example\.com, where all can read"):
        line.here(root, "http://uploads.example.com/1", "writing")
    for none in ("https://[::1/", "https://uploads.example.com:99999/"):
        with pytest.raises(OutsideError, match="an address that is none"):
            line.here(root, none, "writing")


def test_a_client_that_hangs_up_is_nothing_to_report(capfd: pytest.CaptureFixture[str]) -> None:
    """Of the line that the tests have in between: what it says is looked at when a test fails."""
    with scripted(lambda _: Reply()) as server, proxied(server.host) as line:
        before = {*threading.enumerate()}
        host, _, port = line.host.partition(":")
        with socket.create_connection((host, int(port))) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(b"GET /v2/ HTT")
        requests.get(f"http://{line.host}/v2/", timeout=60)

        wait_until(lambda: before >= {*threading.enumerate()}, "all that was asked is answered")
    assert capfd.readouterr().err == ""
