"""An exchange as a person wants to see it: method, address, status, the fields that matter, secrets shortened."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tpp_client.wire import HttpRequest, HttpResponse

# What a reader of a journey looks for, in the order it is shown. Dots go down into objects; a field is shown by its last
# name, or by another one where two would be alike.
_ASKED = (
    "grant_type", "scope", "code", "code_verifier", "refresh_token", "token", "client_id", "access.accounts", "validUntil",
    "frequencyPerDay", "account.iban", "debtorAccount.iban", "creditorAccount.iban", "instructedAmount.amount",
    "instructedAmount.currency", "request_uri", "auth_req_id", "login_hint", "binding_message",
    "client_notification_token", "url", "psu", "result", "accounts", "grant_management_action", "grant_id",
    "authorization_details",
)  # fmt: skip
_ANSWERED = (
    "issuer", "authorization_endpoint", "request_uri", "mtls_endpoint_aliases.token_endpoint", "consentId",
    "consentStatus", "paymentId", "transactionStatus", "_links.scaOAuth.href", "redirect", "access_token", "refresh_token",
    "token_type", "auth_req_id", "expires_in", "interval",
    "scope", "grant_id", "active", "cnf.x5t#S256",
    "accounts", "balances", "transactions.booked", "transactions.pending", "fundsAvailable",
    "personas", "keys", "messages", "authorisationIds", "scaStatus", "error", "error_description", "tppMessages", "code",
    "title", "detail", "reason", "hint", "clause",
)  # fmt: skip
_NAMES = {"debtorAccount.iban": "debtor", "creditorAccount.iban": "creditor", "_links.scaOAuth.href": "scaOAuth"}
_SECRETS = frozenset(
    {
        "code", "code_verifier", "access_token", "refresh_token", "token", "state", "password", "response", "auth_req_id",
        "client_notification_token",
    }
)  # fmt: skip
# In an error body `code` is the error's name; a code that opens doors is only ever asked with, or in a redirect.
_ANSWERED_SECRETS = _SECRETS - {"code"}
_LINKS = frozenset({"url", "redirect"})
_SECRET_SHOWN = 6
_SIGNED = ("request", "client_assertion", "DPoP")
_COVERED = "signature-input"
_JWT_PARTS = 3


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, fit to be shown and logged: it holds no whole secret."""

    method: str
    url: str
    asked: dict[str, str]
    status: int
    answered: dict[str, str]
    signed: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return it for `--json`."""
        return {
            "method": self.method,
            "url": self.url,
            "asked": self.asked,
            **({"signed": self.signed} if self.signed else {}),
            "status": self.status,
            "answered": self.answered,
        }


def exchange_of(response: HttpResponse) -> Exchange:
    """Pick what matters from a request and its answer."""
    request = response.request
    return Exchange(
        method=request.method,
        url=readable_url(request.url),
        asked=_picked(_asked_fields(request), _ASKED, _SECRETS),
        signed=_signed(request) | _signatures(response),
        status=response.status,
        answered=_picked(_json_fields(response.body), _ANSWERED, _ANSWERED_SECRETS),
    )


def shortened(secret: str) -> str:
    """Return the first characters of a secret, enough to tell two apart, never enough to use."""
    kept = min(_SECRET_SHOWN, len(secret) // 4)
    return f"{secret[:kept]}…"


def readable_url(url: str) -> str:
    """Return an address for the eye: its query decoded, the secrets in it shortened."""
    parts = urlsplit(url)
    query = [(name, shortened(value) if name in _SECRETS else value) for name, value in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(query="&".join(f"{name}={value}" for name, value in query)))


def _asked_fields(request: HttpRequest) -> dict[str, object]:
    if request.body is None:
        return {}
    if request.headers.get("Content-Type", "").startswith("application/json"):
        return _json_fields(request.body)
    return dict(parse_qsl(request.body.decode()))


def _signed(request: HttpRequest) -> dict[str, str]:
    """Return what the client has signed in a request: claims, never a signature, by which it could be used again."""
    fields = {**_asked_fields(request), "DPoP": request.headers.get("DPoP")}
    return {name: told for name in _SIGNED if isinstance(fields.get(name), str) and (told := _claims(str(fields[name])))}


def _signatures(response: HttpResponse) -> dict[str, str]:
    """Return what message signatures of both sides cover, never the signatures (RFC 9421 §2.3)."""
    sides = {"request": response.request.headers, "answer": response.headers}
    covered = {side: {name.lower(): value for name, value in headers.items()}.get(_COVERED) for side, headers in sides.items()}
    return {f"{side}'s signature": value for side, value in covered.items() if value is not None}


def unverified_claims(compact: str) -> dict[str, object]:
    """Return what a JWT says, to be shown, never to be believed; empty where it is none."""
    return _parts(compact)[1]


def _parts(compact: str) -> tuple[dict[str, object], dict[str, object]]:
    parts = compact.split(".")
    if len(parts) != _JWT_PARTS:
        return {}, {}
    return _json_fields(_decoded(parts[0])), _json_fields(_decoded(parts[1]))


def _claims(compact: str) -> str:
    """Return a JWT for the eye: algorithm, type, claims; empty where it is none."""
    header, claims = _parts(compact)
    if "alg" not in header:
        return ""
    kind = " ".join(str(header[name]) for name in ("alg", "typ") if name in header)
    told = (f"{name}={shortened(str(value)) if name in _SECRETS else value}" for name, value in claims.items())
    return f"{kind}: {' '.join(told)}"


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        return b""


def _json_fields(body: bytes) -> dict[str, object]:
    try:
        fields = json.loads(body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _picked(fields: dict[str, object], names: Iterable[str], secrets: frozenset[str]) -> dict[str, str]:
    found = ((name, _at(fields, name)) for name in names)
    return {
        _NAMES.get(name, name.rpartition(".")[2]): _shown(name, value, secrets) for name, value in found if value is not None
    }


def _at(fields: dict[str, object], path: str) -> object:
    value: object = fields
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _shown(name: str, value: object, secrets: frozenset[str]) -> str:
    if name == "tppMessages" and isinstance(value, list):
        return "; ".join(f"{entry.get('code')}: {entry.get('text')}" for entry in value if isinstance(entry, dict))
    if isinstance(value, list):
        return str(len(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in secrets:
        return shortened(str(value))
    return readable_url(str(value)) if name in _LINKS else str(value)
