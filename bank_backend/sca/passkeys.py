"""Passkeys of the bank's front origin: registering one, and having it sign a challenge (WebAuthn Level 3 §7.1, §7.2).

The challenge is made of the statement to be approved: the signature covers amount and payee (RTS 2018/389 Art. 5).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_REQUIRED: Final = UserVerificationRequirement.REQUIRED
_PURPOSE: Final = b"musterbank passkey\0"


class PasskeyRefused(Exception):
    """The browser's answer does not verify; the text says why, for the log and not for the page."""


def challenge_bytes(salt: bytes, statement_digest: bytes) -> bytes:
    """Return what a passkey signs for a statement."""
    return hashlib.sha256(_PURPOSE + salt + statement_digest).digest()


class Passkeys:
    """The relying party. Options and answers are the JSON forms of WebAuthn Level 3 §5.1.8 and §5.1.9."""

    def __init__(self, origin: str) -> None:
        """Work for pages of `origin`, and of no other."""
        host = urlsplit(origin).hostname or "localhost"
        party = PublicKeyCredentialRpEntity(id=host, name="Musterbank")
        self._server = Fido2Server(party, verify_origin=lambda other: other == origin)

    def registration(self, *, tenant: str, login: str, name: str, known: Sequence[bytes], challenge: bytes) -> dict[str, Any]:
        """Return what the browser is asked in order to make a passkey; `known` are the PSU's other ones."""
        options, _ = self._server.register_begin(
            PublicKeyCredentialUserEntity(id=_user_handle(tenant, login), name=login, display_name=name),
            [AttestedCredentialData(each) for each in known],
            resident_key_requirement=ResidentKeyRequirement.PREFERRED,
            user_verification=_REQUIRED,
            challenge=challenge,
        )
        return dict(options.public_key)

    def registered(self, answer: Mapping[str, Any], *, challenge: bytes) -> tuple[bytes, int]:
        """Return public key and signature count of a new passkey; raises `PasskeyRefused`."""
        try:
            made = self._server.register_complete(self._state(challenge), answer)
        # The library raises what its parsers raise, for an answer of the browser's making.
        except Exception as error:
            raise PasskeyRefused(str(error)) from error
        if made.credential_data is None:
            raise PasskeyRefused("the answer holds no key")
        return bytes(made.credential_data), made.counter

    def assertion(self, credential: bytes, *, challenge: bytes) -> dict[str, Any]:
        """Return what the browser is asked in order to sign a challenge."""
        options, _ = self._server.authenticate_begin(
            [AttestedCredentialData(credential)], user_verification=_REQUIRED, challenge=challenge
        )
        return dict(options.public_key)

    def asserted(self, answer: Mapping[str, Any], credential: bytes, *, challenge: bytes, sign_count: int) -> int:
        """Return the new signature count; raises `PasskeyRefused`, also for a count that went back (WebAuthn §6.1.1)."""
        try:
            self._server.authenticate_complete(self._state(challenge), [AttestedCredentialData(credential)], answer)
            count = AuthenticationResponse.from_dict(answer).response.authenticator_data.counter
        except Exception as error:
            raise PasskeyRefused(str(error)) from error
        if (count or sign_count) and count <= sign_count:
            raise PasskeyRefused("the signature count went back: the passkey may have been copied")
        return count

    @staticmethod
    def _state(challenge: bytes) -> dict[str, Any]:
        return {"challenge": websafe_encode(challenge), "user_verification": _REQUIRED}


def _user_handle(tenant: str, login: str) -> bytes:
    # No personal data in a user handle (WebAuthn §14.6.1); logins repeat from tenant to tenant.
    return hashlib.sha256(f"{tenant}\0{login}".encode()).digest()
