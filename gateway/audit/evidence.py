"""What was established at each stage of a call, as lines for people: read from its record."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from gateway.admission.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.audit.row import Record

Fact = dict[str, str]


def established(stage: Stage, record: Record) -> list[Fact]:
    """Return the facts of a stage; a value that the record does not hold is left out."""
    facts = _FACTS.get(stage, _nothing)(record)
    return [{"what": what, "value": str(value)} for what, value in facts.items() if value not in {None, ""}]


def _nothing(_record: Record) -> dict[str, object]:
    return {}


def _network(record: Record) -> dict[str, object]:
    return {"from": record.get("client_ip"), "listener": record.get("listener")}


def _tls(record: Record) -> dict[str, object]:
    tls = record.get("tls") or {}
    resumed = None if "resumed" not in tls else "resumed" if tls["resumed"] else "full handshake"
    return {"version": tls.get("version"), "cipher": tls.get("cipher"), "session": resumed, "server name": record.get("sni")}


def _request(record: Record) -> dict[str, object]:
    return {"host": record.get("host"), "X-Request-ID": record.get("tpp_request_id")}


def _route(record: Record) -> dict[str, object]:
    return {"route": record.get("route"), "deployment": record.get("deployment")}


def _presented(record: Record) -> dict[str, object]:
    certificate = record.get("certificate") or {}
    number = certificate.get("authorisation_number")
    # Whose log it stands in was decided by who issued it, not by what it says.
    claim = "authorisation number" if number == record.get("tpp") else "claims the authorisation number (not believed)"
    return {
        "subject": certificate.get("subject"),
        "serial number": certificate.get("serial"),
        claim: number,
        "SHA-256": certificate.get("sha256"),
    }


def _certificate(record: Record) -> dict[str, object]:
    certificate = record.get("certificate") or {}
    return {
        "issuer": certificate.get("issuer"),
        "valid until": certificate.get("not_after"),
        "days left then": _days_left(record),
    }


def _revocation(record: Record) -> dict[str, object]:
    revocation = record.get("revocation") or {}
    return {"status": revocation.get("status"), "told by": revocation.get("method"), "as of": revocation.get("as_of")}


def _qwac(record: Record) -> dict[str, object]:
    return {"kind": (record.get("certificate") or {}).get("kind")}


def _register(record: Record) -> dict[str, object]:
    return {"TPP": record.get("tpp")}


def _token(record: Record) -> dict[str, object]:
    token = record.get("token") or {}
    is_own = token.get("tpp") == record.get("tpp")
    return {"token id": token.get("id"), "valid until": token.get("expires") if is_own else None}


def _binding(record: Record) -> dict[str, object]:
    token = record.get("token") or {}
    matches = None if "cnf_match" not in token else "yes (cnf matches)" if token["cnf_match"] else "no (cnf differs)"
    is_own = token.get("tpp") == record.get("tpp")
    own = token if is_own else {}
    return {"bound to this certificate": matches, "bound to the key": own.get("jkt"), "client": own.get("client_id")}


def _role(record: Record) -> dict[str, object]:
    certificate = record.get("certificate") or {}
    return {"needed": (record.get("asks") or {}).get("role"), "in the certificate": certificate.get("roles")}


def _scope(record: Record) -> dict[str, object]:
    asked = (record.get("asks") or {}).get("scope")
    return {"needed": f"{asked}:…" if asked else None, "of the token": (record.get("token") or {}).get("scope")}


def _subscription(record: Record) -> dict[str, object]:
    return {"subscriber": record.get("subscriber"), "plan": record.get("plan")}


def _limits(record: Record) -> dict[str, object]:
    limit = record.get("limit") or {}
    exceeded = limit.get("exceeded")
    return {
        "nearest limit": limit.get("policy"),
        "counted by": limit.get("key"),
        "left after this call": limit.get("remaining"),
        "exceeded, and let through": ", ".join(exceeded) if exceeded else None,
    }


def _signature(record: Record) -> dict[str, object]:
    signature = record.get("signature") or {}
    seal = signature.get("certificate") or {}
    return {
        "verdict": signature.get("verdict"),
        "what was found": signature.get("text"),
        "client's key": signature.get("keyid"),
        "seal": seal.get("subject"),
        "seal's serial number": seal.get("serial"),
        "seal valid until": seal.get("not_after"),
    }


def _forwarding(record: Record) -> dict[str, object]:
    latency = record.get("latency_ms") or {}
    return {
        "service": record.get("upstream"),
        "admission took": _milliseconds(latency.get("admission")),
        "body": f"{(record.get('bytes') or {}).get('in', 0)} bytes",
        "sent": "twice: a kept connection had ended" if record.get("retried") else None,
    }


def _service(record: Record) -> dict[str, object]:
    latency = record.get("latency_ms") or {}
    return {
        "status": record.get("status") or None,
        "service took": _milliseconds(latency.get("upstream")),
        "the whole call took": _milliseconds(latency.get("total")),
        "body": f"{(record.get('bytes') or {}).get('out', 0)} bytes",
    }


def _milliseconds(value: float | None) -> str | None:
    return None if value is None else f"{value} ms"


def _days_left(record: Record) -> int | None:
    not_after = (record.get("certificate") or {}).get("not_after")
    if not_after is None:
        return None
    return (datetime.fromisoformat(not_after) - datetime.fromisoformat(record["ts"])).days


_FACTS: Final[dict[Stage, Callable[[Record], dict[str, object]]]] = {
    Stage.NETWORK: _network,
    Stage.TLS: _tls,
    Stage.REQUEST: _request,
    Stage.ROUTE: _route,
    Stage.PRESENTED: _presented,
    Stage.CERTIFICATE: _certificate,
    Stage.REVOCATION: _revocation,
    Stage.QWAC: _qwac,
    Stage.REGISTER: _register,
    Stage.TOKEN: _token,
    Stage.BINDING: _binding,
    Stage.ROLE: _role,
    Stage.SCOPE: _scope,
    Stage.SUBSCRIPTION: _subscription,
    Stage.LIMITS: _limits,
    Stage.SIGNATURE: _signature,
    Stage.FORWARDING: _forwarding,
    Stage.SERVICE: _service,
}
