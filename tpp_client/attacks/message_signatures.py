"""Attacks on requests that a client has signed with its own key: changed, signed by a thief, sent again (RFC 9421)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from tpp_client.attacks.model import Attack, NotTried, expect
from tpp_client.http_signatures import signed_request
from tpp_client.refusals import require_status
from tpp_client.signing_keys import new_signing_key
from tpp_client.wire import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tpp_client.attacks.field import AttackField
    from tpp_client.signing_keys import SigningKey
    from tpp_client.wire import HttpResponse

_REFUSED = expect(401, "SIGNATURE_INVALID")
# Of a token that is bound to a key the proof has been used as well, and is judged first.
_USED = expect(401, "SIGNATURE_INVALID", "TOKEN_INVALID")


def _key(field: AttackField) -> SigningKey:
    if field.voice.key is None:
        raise NotTried("needs a client with a key: `sandbox tpp register … --profile fapi2-message-signing`")
    return field.voice.key


@dataclass(slots=True)
class _Way:
    """The way of the victim's request to the bank: signed, then changed by whoever stands there, and kept by him."""

    field: AttackField
    key: SigningKey
    change: Callable[[HttpRequest], HttpRequest] = lambda request: request
    kept: HttpRequest | None = None

    def send(self, request: HttpRequest) -> HttpResponse:
        """Sign, change, keep and send it."""
        self.kept = self.change(signed_request(request, self.key, now=self.field.stage.clock.now()))
        return self.field.send(self.field.victim.qwac, self.kept)


def _read(way: _Way) -> HttpResponse:
    field = way.field
    headers = {
        "Authorization": f"Bearer {field.loot.tokens.access_token}",
        "Consent-ID": field.loot.consent_id,
        "X-Request-ID": field.stage.xs2a.new_request_id(),
        "PSU-IP-Address": "127.0.0.1",
    }
    return field.voice.over(way).send(HttpRequest(method="GET", url=f"{field.victim.edge}/v1/accounts", headers=headers))


def _changed(field: AttackField) -> HttpResponse:
    return _read(_Way(field, _key(field), lambda request: replace(request, url=f"{request.url}?withBalance=true")))


def _other_key(field: AttackField) -> HttpResponse:
    return _read(_Way(field, replace(new_signing_key(), kid=_key(field).kid)))


def _unknown_key(field: AttackField) -> HttpResponse:
    _key(field)
    return _read(_Way(field, new_signing_key()))


def _replayed(field: AttackField) -> HttpResponse:
    way = _Way(field, _key(field))
    require_status(_read(way), HTTPStatus.OK)
    if way.kept is None:
        raise NotTried("nothing was sent")
    return field.send(field.victim.qwac, way.kept)


ATTACKS = (
    Attack(
        name="message-signature-changed",
        title="ask for more than the client has signed",
        clause="RFC 9421 §3.2",
        expected=_REFUSED,
        strike=_changed,
    ),
    Attack(
        name="message-signature-other-key",
        title="sign by another key, under the name of the client's",
        clause="RFC 9421 §3.2",
        expected=_REFUSED,
        strike=_other_key,
    ),
    Attack(
        name="message-signature-unknown-key",
        title="sign by a key that the client has not registered",
        clause="FAPI 2.0 HTTP Signatures §5.3.1.2",
        expected=_REFUSED,
        strike=_unknown_key,
    ),
    Attack(
        name="message-signature-replay",
        title="send a signed request a second time",
        clause="RFC 9421 §7.2.2",
        expected=_USED,
        strike=_replayed,
    ),
)
