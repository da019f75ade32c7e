"""Software statements: what a directory that the operator trusts says of a TPP's software (RFC 7591 §2.3)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from gateway.oauth.jose.jws import verified_jws
from gateway.oauth.jose.key_set import KeySet, read_key_set
from gateway.oauth.jose.refusals import JwsRefused, KeySetRefused, UnknownKey
from gateway.oauth.jose.strict_json import NotAnObject, read_object
from gateway.oauth.refusals import OAuthRefused, Refusal, shown
from gateway.register.model import SigningAlg

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.oauth.jose.claims import Claims
    from psd2.clock import Clock

_OF_THE_TOKEN: Final = frozenset({"iss", "sub", "aud", "iat", "nbf", "exp", "jti", "org_id"})
_LEEWAY: Final = timedelta(seconds=10)


class UnreadableDirectories(ValueError):
    """A file of trusted directories that says something else than issuers and their keys."""


def read_directories(path: Path | None) -> Mapping[str, KeySet]:
    """Return the directories of a file `{issuer: JWK Set}`, none where there is no file; raises `UnreadableDirectories`."""
    if path is None:
        return {}
    try:
        document = read_object(path.read_bytes())
        return {issuer: read_key_set(json.dumps(keys)) for issuer, keys in document.items()}
    except (OSError, NotAnObject, KeySetRefused) as error:
        msg = f"GATEWAY_SOFTWARE_DIRECTORIES: {path.name} must hold a JSON object of issuers and their JWK Sets: {error}"
        raise UnreadableDirectories(msg) from error


@dataclass(frozen=True, slots=True)
class SoftwareStatement:
    """What it says of the client, and who says it."""

    issuer: str
    metadata: Mapping[str, Any]


class SoftwareStatements:
    """The directories that are believed, each with its keys."""

    def __init__(self, directories: Mapping[str, KeySet], clock: Clock) -> None:
        """Believe these, by issuer."""
        self._directories = directories
        self._clock = clock

    def read(self, compact: str, authorisation_number: str) -> SoftwareStatement:
        """Return what the statement says of this TPP's software; raises `OAuthRefused`.

        A statement is no secret: only `org_id` keeps one TPP from registering by another's.
        """
        issuer, claims = self._verified(compact)
        try:
            self._require_in_force(claims)
            holder = claims.text("org_id")
        except JwsRefused as refused:
            raise _not_believed(refused) from refused
        if holder != authorisation_number:
            hint = "ask the directory for a statement whose org_id is the authorisation number in your QWAC"
            raise _invalid("org_id is not the TPP of the certificate", reason="statement.other_tpp", hint=hint)
        said = {name: value for name, value in claims.values.items() if name not in _OF_THE_TOKEN}
        return SoftwareStatement(issuer, said)

    def _verified(self, compact: str) -> tuple[str, Claims]:
        """Return who has signed the statement, and what it says; each directory is believed by its own keys alone."""
        fault: JwsRefused | None = None
        for issuer, keys in self._directories.items():
            try:
                claims = verified_jws(compact, keys, algs=tuple(SigningAlg))
                named = claims.text("iss")
            except JwsRefused as refused:
                fault = refused
                continue
            if named == issuer:
                return issuer, claims
        if fault is not None and not isinstance(fault, UnknownKey):
            raise _not_believed(fault) from fault
        raise _unapproved()

    def _require_in_force(self, claims: Claims) -> None:
        now = self._clock.now()
        if claims.moment("iat") > now + _LEEWAY:
            raise _invalid("iat lies in the future", reason="statement.time", hint="check the clock of the directory")
        expires_at = claims.optional_moment("exp")
        if expires_at is not None and expires_at <= now:
            raise _invalid("the statement has expired", reason="statement.time", hint="ask the directory for a new one")


def _invalid(text: str, *, reason: str, hint: str, clause: str = "RFC 7591 §3.1.1") -> OAuthRefused:
    description = f"software_statement: {shown(text)}"
    return OAuthRefused(
        Refusal(error="invalid_software_statement", description=description, reason=reason, hint=hint, clause=clause)
    )


def _not_believed(refused: JwsRefused) -> OAuthRefused:
    return _invalid(refused.text, reason=refused.reason, hint=refused.hint, clause=refused.clause)


def _unapproved() -> OAuthRefused:
    return OAuthRefused(
        Refusal(
            error="unapproved_software_statement",
            description="software_statement: is of no directory that is trusted here",
            reason="statement.issuer",
            hint="leave the statement out, or ask the operator to trust its directory (GATEWAY_SOFTWARE_DIRECTORIES)",
            clause="RFC 7591 §3.2.2",
        )
    )
