"""Keys of a client and messages signed with them; what is wrong with one is wrong in exactly one way."""

from __future__ import annotations

import json
import ssl
import threading
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from joserfc.jwk import ECKey, OKPKey, RSAKey

from chassis.sealing import Seal
from gateway.oauth.jose.key_set import KeySet, read_key_set
from gateway.oauth.jose.key_store import SqlSigningKeys
from gateway.oauth.jose.private_keys import PrivateKey, new_private_key
from gateway.oauth.jose.rotation import Schedule
from gateway.oauth.jose.server_keys import ServerKeys
from gateway.register.model import SigningAlg

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sqlalchemy import Engine

    from psd2.clock import Clock
    from tests.support.pki import Authority

_Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_SHA256 = hashes.SHA256()
_PSS = padding.PSS(mgf=padding.MGF1(_SHA256), salt_length=32)


@dataclass(frozen=True)
class Signer:
    """A private key, and the algorithm and name that its messages carry; signs without any library for JOSE."""

    alg: str
    kid: str
    key: _Private

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key, as a client registers it."""
        return {**_public_jwk(self.key), "kid": self.kid}

    def sign(self, claims: Mapping[str, object] | bytes, **header: object) -> str:
        """Sign claims, or any bytes; a header member of None is left out."""
        members = {"alg": self.alg, "kid": self.kid} | header
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        return self.sign_raw(
            json.dumps({name: value for name, value in members.items() if value is not None}).encode(), payload
        )

    def sign_raw(self, header: bytes, payload: bytes) -> str:
        """Sign a header and a payload as they are."""
        signed = f"{b64(header)}.{b64(payload)}"
        return f"{signed}.{b64(self._signature(signed.encode()))}"

    def _signature(self, text: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(text, _PSS, _SHA256)
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(text)
        r, s = utils.decode_dss_signature(self.key.sign(text, ec.ECDSA(_SHA256)))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _public_jwk(key: _Private) -> Mapping[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        return RSAKey(key.public_key(), None).as_dict(private=False)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return OKPKey(key.public_key(), None).as_dict(private=False)
    return ECKey(key.public_key(), None).as_dict(private=False)


@cache
def es256(kid: str = "ec-1") -> Signer:
    """Return a client's key on P-256, the same each time."""
    return Signer("ES256", kid, ec.generate_private_key(ec.SECP256R1()))


@cache
def ps256(kid: str = "rsa-1") -> Signer:
    """Return a client's RSA key."""
    return Signer("PS256", kid, rsa.generate_private_key(65_537, 2048))


@cache
def eddsa(kid: str = "ed-1") -> Signer:
    """Return a client's key on Ed25519."""
    return Signer("EdDSA", kid, ed25519.Ed25519PrivateKey.generate())


def jwks(*keys: Signer | Mapping[str, object]) -> str:
    """Return a JWK Set of signers' public keys, or of JWKs as they are."""
    return json.dumps({"keys": [key.jwk if isinstance(key, Signer) else dict(key) for key in keys]})


def key_set(*keys: Signer | Mapping[str, object]) -> KeySet:
    """Return such a set, read."""
    return read_key_set(jwks(*keys))


def b64(data: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


class JwksServer:
    """Serves sets of keys over https on loopback; `files` holds a body or, where it is another address, a redirect."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.files: dict[str, bytes | str] = {}
        self.paths: list[str] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.paths.append(self.path)
                body = served.files[self.path]
                self.send_response(200 if isinstance(body, bytes) else 302)
                if isinstance(body, str):
                    self.send_header("Location", body)
                    body = b""
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.server("localhost").write(folder, "jwks"))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.host = f"localhost:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"https://{self.host}{path}"

    def stop(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()


SCHEDULE = Schedule(period=timedelta(days=30), ahead=timedelta(days=1))


def server_keys(engine: Engine, clock: Clock, *, make: Callable[[SigningAlg], PrivateKey] | None = None) -> ServerKeys:
    """Return the keys of a server whose seal lies in no file, and whose RSA keys are made once in all tests."""
    seal = Seal(lambda: bytes(32))
    return ServerKeys(store=SqlSigningKeys(engine), seal=seal, schedule=SCHEDULE, clock=clock, make=make or _Makes())


class _Makes:
    """Makes keys; RSA keys, which take long, are the same few for every server."""

    def __init__(self) -> None:
        self._made = 0

    def __call__(self, alg: SigningAlg) -> PrivateKey:
        if alg is not SigningAlg.PS256:
            return new_private_key(alg)
        self._made += 1
        return _rsa_key(self._made)


@cache
def _rsa_key(_number: int) -> PrivateKey:
    return new_private_key(SigningAlg.PS256)
