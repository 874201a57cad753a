"""A token server for a registry, as the specification of Docker's registry describes it: it gives a
signed token to whoever has the password, and the registry checks the signature.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.serving import Connection, QuietServer, serving

ISSUER, SERVICE = "tokens", "registry"
NAME, PASSWORD, IDENTITY = "ada", "secret", "an-identity-token"


@dataclass
class Tokens:
    """The server at `realm`. `asked` are the scopes that were asked for, and by whom. Where it
    `wants_writers`, whoever only wants to read is given nothing, as where there is no repository
    yet that could be read (Quay).
    """

    realm: str
    bundle: Path
    lasts_s: float = 300.0
    wants_writers: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, Any]:
        """What the registry is told."""
        return {
            "auth": {
                "token": {
                    "realm": self.realm,
                    "service": SERVICE,
                    "issuer": ISSUER,
                    "rootcertbundle": str(self.bundle),
                }
            }
        }


@contextmanager
def token_server(folder: Path) -> Iterator[Tokens]:
    """The server, gone afterwards."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key)
    bundle = folder / "tokens.pem"
    bundle.write_bytes(certificate.public_bytes(Encoding.PEM))
    server = _Server(("127.0.0.1", 0), _Connection)
    server.key = key
    server.chain = [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()]
    server.tokens = Tokens(f"http://127.0.0.1:{server.server_address[1]}/token", bundle)
    with serving(server):
        yield server.tokens


def self_signed(folder: Path) -> Path:
    """A file with a certificate that nobody vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    path = folder / "self-signed.pem"
    kept = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(_certificate(key).public_bytes(Encoding.PEM) + kept)
    return path


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


class _Server(QuietServer):
    key: ec.EllipticCurvePrivateKey
    chain: list[str]
    tokens: Tokens


class _Connection(Connection):
    server: _Server

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        name, is_known = self._login()
        self._give(query.get("scope", []), name, is_known)

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        is_known = form["refresh_token"] == [IDENTITY] and form["service"] == [SERVICE]
        self._give(form.get("scope", []), IDENTITY, is_known)

    def _login(self) -> tuple[str, bool]:
        scheme, _, said = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return "", False
        name, _, password = base64.b64decode(said).decode().partition(":")
        return name, (name, password) == (NAME, PASSWORD)

    def _give(self, scopes: list[str], name: str, is_known: bool) -> None:
        self.server.tokens.asked += [(scope, name) for scope in scopes]
        if name and not is_known:
            self._answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]})
            return
        access = [
            {"type": kind, "name": where, "actions": self._actions(actions.split(","), is_known)}
            for kind, where, actions in (scope.split(":") for scope in scopes)
        ]
        now = time.time()
        claims = {
            "iss": ISSUER, "aud": SERVICE, "sub": name, "jti": str(uuid.uuid4()), "iat": int(now),
            "nbf": int(now) - 5, "exp": int(now + self.server.tokens.lasts_s), "access": access,
        }  # fmt: skip
        headers = {"x5c": self.server.chain}
        token = jwt.encode(claims, self.server.key, algorithm="ES256", headers=headers)
        self._answer(200, {"token": token})

    def _actions(self, asked: list[str], is_known: bool) -> list[str]:
        if self.server.tokens.wants_writers and "push" not in asked:
            return []
        return asked if is_known else ["pull"]

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
