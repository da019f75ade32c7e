"""A passkey in software: makes a key and signs as WebAuthn Level 3 §6 says, or wrongly in exactly one way."""

from __future__ import annotations

import hashlib
import json
import struct
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40
ORIGIN = "https://localhost:8441"


@dataclass
class SoftPasskey:
    """One key for one relying party; `count` goes up with every signature."""

    origin: str = ORIGIN
    host: str = "localhost"
    flags: int = _PRESENT | _VERIFIED
    count: int = 0
    id: bytes = b"a credential's id"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def register(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer a registration's options, as `PublicKeyCredential.toJSON()` does."""
        numbers = self.key.public_key().public_numbers()
        # COSE (RFC 9053 §7.1.1): EC2, ES256, P-256.
        public = cbor.encode({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(_ATTESTED) + attested}
        return self._answer(
            clientDataJSON=self._client_data("webauthn.create", options), attestationObject=cbor.encode(attestation)
        )

    def sign(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer a request's options."""
        self.count += 1
        client_data, data = self._client_data("webauthn.get", options), self._data(0)
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=client_data, authenticatorData=data, signature=signature)

    def _data(self, more: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + struct.pack(">BI", self.flags | more, self.count)

    def _client_data(self, kind: str, options: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _answer(self, **response: bytes) -> dict[str, Any]:
        name = _text(self.id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": {each: _text(value) for each, value in response.items()},
            "clientExtensionResults": {},
        }


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")
