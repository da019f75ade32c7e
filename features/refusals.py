"""Refusals in the words of the scenarios: what each phrase means on the wire (docs/refusals.md)."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from tpp_client.refusals import refusal_of

if TYPE_CHECKING:
    from tpp_client.wire import HttpResponse


@dataclass(frozen=True, slots=True)
class Meaning:
    """Status, code and the reason a sandbox gives; no reason where the bank refuses and gives none."""

    status: int
    code: str
    reason: str | None = None


PHRASES = MappingProxyType(
    {
        "the request is not what was signed": Meaning(401, "SIGNATURE_INVALID", "message_signature.invalid"),
        "no certificate was presented": Meaning(401, "CERTIFICATE_MISSING", "mtls.missing"),
        "nobody who is trusted issued the certificate": Meaning(401, "CERTIFICATE_INVALID", "mtls.untrusted"),
        "the certificate has expired": Meaning(401, "CERTIFICATE_EXPIRED", "mtls.expired"),
        "the certificate is not valid yet": Meaning(401, "CERTIFICATE_INVALID", "mtls.not_yet_valid"),
        "the certificate has been revoked": Meaning(401, "CERTIFICATE_REVOKED", "mtls.revoked"),
        "the certificate is blocked": Meaning(401, "CERTIFICATE_BLOCKED", "mtls.blocked"),
        "the certificate is no QWAC": Meaning(401, "CERTIFICATE_INVALID", "mtls.not_a_qwac"),
        "the certificate is not meant for clients": Meaning(401, "CERTIFICATE_INVALID", "mtls.eku"),
        "the TPP is not registered": Meaning(401, "CERTIFICATE_INVALID", "tpp.unknown"),
        "the certificate does not grant the role": Meaning(401, "ROLE_INVALID", "psd2.role"),
        "the token is bound to a different certificate": Meaning(401, "TOKEN_INVALID", "token.cnf_mismatch"),
        "the token is bound to another key": Meaning(401, "TOKEN_INVALID", "token.jkt_mismatch"),
        "the token is bound to a key": Meaning(401, "TOKEN_INVALID", "token.dpop_as_bearer"),
        "the request object is missing": Meaning(400, "invalid_request", "oauth.parameter"),
        "the proof has been used before": Meaning(401, "TOKEN_INVALID", "dpop.replayed"),
        "the token has been revoked": Meaning(401, "TOKEN_INVALID", "token.revoked"),
        "the token is bound to a certificate and none was presented": Meaning(
            401, "TOKEN_INVALID", "token.cnf_without_certificate"
        ),
        "the token is not known": Meaning(401, "TOKEN_UNKNOWN", "token.unknown"),
        "the token is for another service": Meaning(403, "TOKEN_INVALID", "token.scope"),
        "the named consent is not its token's": Meaning(401, "TOKEN_INVALID"),
        "the consent is not valid": Meaning(401, "CONSENT_INVALID"),
        "the consent is not known": Meaning(403, "CONSENT_UNKNOWN"),
        "it has been read too often today": Meaning(429, "ACCESS_EXCEEDED"),
        "the period lies in the past": Meaning(400, "PERIOD_INVALID"),
        "it is too late to cancel": Meaning(405, "CANCELLATION_INVALID", "payment.cancellation"),
        "the day of execution can't be had": Meaning(400, "EXECUTION_DATE_INVALID"),
        "the code is wrong": Meaning(401, "PSU_CREDENTIALS_INVALID", "sca.code_wrong"),
        "the PSU is not who it says": Meaning(401, "PSU_CREDENTIALS_INVALID", "psu.credentials"),
        "the request is not signed": Meaning(401, "SIGNATURE_MISSING", "signature.missing"),
        "the signature does not fit": Meaning(401, "SIGNATURE_INVALID"),
        "the seal is somebody else's": Meaning(401, "CERTIFICATE_INVALID"),
        "the certificate is no QSealC": Meaning(401, "CERTIFICATE_INVALID"),
        "there is no token": Meaning(401, "TOKEN_UNKNOWN", "token.missing"),
        "the account is not known": Meaning(404, "RESOURCE_UNKNOWN"),
    }
)


def require_refused(answer: HttpResponse, phrase: str) -> None:
    """Fail unless `answer` is the refusal that the phrase means; says what came instead."""
    meaning, refusal = PHRASES[phrase], refusal_of(answer)
    found = Meaning(refusal.status, refusal.code, refusal.reason if meaning.reason else None)
    assert found == meaning, f"{answer.request.method} {answer.request.url} answered {refusal}, {meaning} was expected"
