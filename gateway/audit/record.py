"""What an audit record says: who asked for what, how they proved it, what came of it and why. Never a token, key or secret.

A query may hold a code or a token: only the path is recorded, and where that holds a secret, the route's template. What a
service tells of its refusal (`told`) holds nothing that stood in a body either (chassis.told.refusals).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import orjson

from chassis.told.vouched_certificates import Vouched
from gateway.admission.tracing import own_step
from gateway.audit.exchange import FAILED, REFUSED
from gateway.plans.redaction import Redactions
from gateway.policies.model import SignatureRule, TokenRule
from psd2.certificates import MalformedCertificate, Psd2Certificate, parse_certificate
from psd2.roles import format_roles

if TYPE_CHECKING:
    from gateway.admission.admit import Admission
    from gateway.admission.request import Connection, Leaf, Request
    from gateway.admission.signatures import SignatureVerdict
    from gateway.admission.tokens import AccessToken
    from gateway.audit.exchange import Exchange
    from gateway.edge.tls.handshake import FailedHandshake
    from gateway.message_signatures.judgement import VerifiedSignature
    from gateway.policies.model import Route
    from gateway.trust.verdict import Trusted

REGISTRATION: Final = "registration"
"""What `revocation` says of a certificate that no authority has issued: it ends with its registration."""
_TOKEN_ID_CHARACTERS: Final = 16
_MOST_PATH_CHARACTERS: Final = 500


class CertificateDescriptions:
    """The certificates' part of records, encoded once for each certificate."""

    def __init__(self, *, most: int) -> None:
        """Remember at most `most`."""
        self._most = most
        self._descriptions: dict[bytes, orjson.Fragment] = {}

    def of(self, leaf: Leaf) -> orjson.Fragment:
        """Describe a leaf; one that cannot be read by its hash alone."""
        known = self._descriptions.get(leaf.digest)
        if known is None:
            if len(self._descriptions) >= self._most:
                self._descriptions.clear()
            known = self._descriptions[leaf.digest] = orjson.Fragment(orjson.dumps(_described(leaf)))
        return known


def _described(leaf: Leaf) -> dict[str, object]:
    try:
        return _of_certificate(parse_certificate(leaf.der))
    except MalformedCertificate:
        return {"sha256": leaf.sha256}


def _of_certificate(certificate: Psd2Certificate) -> dict[str, object]:
    return {
        "sha256": certificate.sha256,
        "kind": certificate.kind.value,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": f"{certificate.serial:x}",
        "sans": certificate.dns_names,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "roles": format_roles(certificate.roles),
        "authorisation_number": certificate.authorisation_number,
    }


@dataclass(frozen=True, slots=True)
class Lasting:
    """The part of a record that stays the same from request to request of a connection: JSON members, without braces."""

    route: Route | None
    trusted: Trusted | None
    token: AccessToken | None
    members: bytes

    def is_of(self, admission: Admission) -> bool:
        """Whether the very same things were established."""
        return self.route is admission.route and self.token is admission.token and self.trusted is admission.trusted


@dataclass(frozen=True, slots=True)
class RecordWriter:
    """Encodes records, for `AuditLog.append`. `now` is epoch seconds."""

    certificates: CertificateDescriptions = field(default_factory=lambda: CertificateDescriptions(most=10_000))
    redactions: Redactions = field(default_factory=Redactions)

    def of_exchange(self, exchange: Exchange, *, ended_at: float) -> bytes:
        """Return the record of a request."""
        request, admission = exchange.request, exchange.admission
        trusted, entitled = admission.trusted, exchange.entitled
        record: dict[str, Any] = {
            "ts": _timestamp(exchange.arrived_at + (ended_at - exchange.began_at)),
            "kind": "request",
            "request_id": request.id,
            "tpp_request_id": request.tpp_request_id.decode("latin-1") if request.tpp_request_id else None,
            "trace": _trace(request),
            "method": request.method,
            "path": self._shown_path(request, admission.route),
            "outcome": exchange.outcome,
            "status": exchange.status,
            "reason": exchange.reason,
            "detail": exchange.detail,
            "text": exchange.text,
            "host": self.redactions.now.host(request.host),
            "tpp": trusted.authorisation_number if trusted is not None and trusted.vouched else exchange.refused_tpp,
            "target": exchange.target,
            "retried": exchange.retried,
            "bytes": {"in": exchange.received_bytes, "out": exchange.sent_bytes},
            "latency_ms": _latency(exchange, ended_at),
        }
        if exchange.told is not None:
            record["told"] = {"text": exchange.told.text, "hint": exchange.told.hint, "clause": exchange.told.clause}
        if entitled is not None:
            record["subscriber"], record["plan"] = entitled.counted_as, entitled.plan
        if exchange.limit is not None:
            record["limit"] = exchange.limit
        if exchange.signature is not None:
            record["signature"] = self._of_signature(exchange.signature)
        elif exchange.message_signature is not None:
            record["signature"] = _of_message_signature(exchange.message_signature)
        if exchange.answer_keyid is not None:
            record["answer_signature"] = {"keyid": exchange.answer_keyid}
        return orjson.dumps(record)[:-1] + b"," + self._lasting(request.connection, admission) + b"}"

    def of_unread(
        self, connection: Connection, *, request_id: str, status: int, reason: str, detail: str, tpp: str | None, now: float
    ) -> bytes:
        """Return the record of bytes that were no request."""
        return orjson.dumps(
            {
                "ts": _timestamp(now),
                "kind": "request",
                "request_id": request_id,
                "outcome": REFUSED,
                "status": status,
                "reason": reason,
                "detail": detail,
                "tpp": tpp,
                **self._of_connection(connection),
            }
        )

    def of_handshake(self, failure: FailedHandshake, *, now: float) -> bytes:
        """Return the record of a connection that never came to HTTP."""
        return orjson.dumps(
            {
                "ts": _timestamp(now),
                "kind": "handshake",
                "listener": failure.listener.value,
                "outcome": FAILED,
                "reason": failure.reason,
                "detail": failure.detail,
                "client_ip": failure.address,
                "sni": self.redactions.now.host(failure.server_name),
            }
        )

    def _lasting(self, connection: Connection, admission: Admission) -> bytes:
        known = connection.memory.get(Lasting)
        if isinstance(known, Lasting) and known.is_of(admission):
            return known.members
        route = admission.route
        members: dict[str, object] = {
            "deployment": route.deployment if route else None,
            "route": route.template if route else None,
            "upstream": route.upstream if route else None,
            "asks": _asks(route),
            **self._of_connection(connection),
            "revocation": _revocation(admission.trusted),
            "token": _of_token(admission.token, connection.leaf),
        }
        encoded = orjson.dumps(members)[1:-1]
        connection.memory[Lasting] = Lasting(route, admission.trusted, admission.token, encoded)
        return encoded

    def _shown_path(self, request: Request, route: Route | None) -> str:
        if route is None:
            return self.redactions.now.path(request.path)[:_MOST_PATH_CHARACTERS]
        return route.template if route.holds_secret else request.path[:_MOST_PATH_CHARACTERS]

    def _of_signature(self, verdict: SignatureVerdict) -> dict[str, object]:
        return {
            "verdict": "valid" if verdict.refusal is None else verdict.refusal.reason,
            "text": None if verdict.refusal is None else verdict.refusal.public_text,
            "detail": None if verdict.refusal is None else verdict.refusal.private_detail,
            "certificate": self.certificates.of(verdict.seal) if verdict.seal else None,
        }

    def _of_connection(self, connection: Connection) -> dict[str, object]:
        tls, leaf = connection.tls, connection.leaf
        return {
            "listener": connection.listener.value,
            "client_ip": connection.address,
            "sni": self.redactions.now.host(tls.server_name) if tls else None,
            "tls": {"version": tls.version, "cipher": tls.cipher, "resumed": tls.resumed} if tls else None,
            "certificate": self.certificates.of(leaf) if leaf else None,
            **self._of_relay(connection),
        }

    def _of_relay(self, connection: Connection) -> dict[str, object]:
        relaying = connection.relaying
        if relaying is None and connection.told_by is None:
            return {}
        relay: dict[str, object] = {"address": connection.told_by or connection.address}
        if relaying is not None:
            carrier = relaying.carrier.leaf
            relay |= {"name": relaying.relay, "certificate": self.certificates.of(carrier) if carrier else None}
        return {"relay": relay}


def _of_message_signature(found: VerifiedSignature) -> dict[str, object]:
    return {"verdict": "valid", "keyid": found.keyid, "alg": found.algorithm.value, "created": _timestamp(found.created)}


def _trace(request: Request) -> dict[str, str | None]:
    own = own_step(request)
    return {"id": own.trace_id, "step": own.parent_id, "parent": request.trace.parent_id if request.trace else None}


def _timestamp(now: float) -> str:
    microseconds = round(now * 1_000_000)
    return f"{_second(microseconds // 1_000_000)}.{microseconds % 1_000_000:06}+00:00"


@lru_cache(maxsize=8)
def _second(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).replace(tzinfo=None).isoformat()


def _asks(route: Route | None) -> dict[str, object] | None:
    if route is None:
        return None
    return {
        "address": route.ip_rules is not None,
        "certificate": route.mtls.value,
        "conditions": route.certificate is not None,
        "role": format_roles(route.roles) or None,
        "scope": " ".join(route.scopes) or None,
        "token": route.token.value if route.token is not TokenRule.OFF else None,
        "signature": route.signature.value,
        **({} if route.message_signatures is SignatureRule.OFF else {"message_signatures": route.message_signatures.value}),
    }


def _revocation(trusted: Trusted | None) -> dict[str, object] | None:
    if trusted is None:
        return None
    if trusted.vouched is Vouched.REGISTERED:
        return {"method": REGISTRATION, "status": "not_asked"}
    if trusted.status is None:
        return {"method": None, "status": "unknown"}
    return {"method": trusted.status.method, "status": "good", "as_of": _timestamp(trusted.status.as_of)}


def _of_token(token: AccessToken | None, leaf: Leaf | None) -> dict[str, object] | None:
    if token is None:
        return None
    return {
        "id": token.sha256[:_TOKEN_ID_CHARACTERS],
        "tpp": token.authorisation_number,
        "client_id": token.client_id,
        "scope": token.scope,
        "expires": _timestamp(token.expires_at),
        **_binding_of_token(token, leaf),
    }


def _binding_of_token(token: AccessToken, leaf: Leaf | None) -> dict[str, object]:
    if token.jkt:
        return {"jkt": token.jkt}  # no certificate says anything of it (RFC 9449 §6.1)
    return {"cnf_match": leaf is not None and token.thumbprint == leaf.thumbprint}


def _latency(exchange: Exchange, ended_at: float) -> dict[str, float]:
    began_at, admitted_at = exchange.began_at, exchange.admitted_at or ended_at
    latency = {"admission": round((admitted_at - began_at) * 1000, 3), "total": round((ended_at - began_at) * 1000, 3)}
    if exchange.replied_at is not None:
        latency["upstream"] = round((exchange.replied_at - admitted_at) * 1000, 3)
    return latency
