"""Attacks on signed requests: changed, kept, or sealed with what is no seal of the TPP's (BG IG 1.3.8 §4.2, §12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec

from tpp_client.attacks.model import Attack, NotTried, expect
from tpp_client.documents import document_of
from tpp_client.errors import IdentityUnusable
from tpp_client.seals import Seal, load_seal
from tpp_client.wire import HttpRequest, json_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tpp_client.attacks.field import AttackField
    from tpp_client.identity import Credential
    from tpp_client.wire import HttpResponse

_CONSENT: Final = {
    "access": {"availableAccounts": "allAccounts"},
    "recurringIndicator": False,
    "validUntil": "9999-12-31",
    "frequencyPerDay": 1,
    "combinedServiceIndicator": False,
}
_GREEDIER: Final = _CONSENT | {"access": {"allPsd2": "allAccounts"}}
_INVALID: Final = expect(401, "SIGNATURE_INVALID")
_NO_SEAL: Final = expect(401, "CERTIFICATE_INVALID")
_KEPT_FOR: Final = timedelta(hours=1)


def _asked(field: AttackField, content: object = _CONSENT) -> HttpRequest:
    headers = {"X-Request-ID": field.stage.xs2a.new_request_id(), "PSU-IP-Address": "127.0.0.1"}
    return json_request("POST", f"{field.victim.edge}/v1/consents", content, headers)


def _sealed(field: AttackField, seal: Seal | None = None, *, age: timedelta = timedelta(0)) -> HttpRequest:
    """Return a signed request for a consent; raises `NotTried` where this bank looks at no signature."""
    _require_judged(field)
    return (seal or _seal(field.victim.qseal)).signed(_asked(field), now=field.stage.clock.now() - age)


def _seal(credential: Credential) -> Seal:
    try:
        return load_seal(credential)
    except IdentityUnusable as missing:
        raise NotTried(str(missing)) from missing


def _require_judged(field: AttackField) -> None:
    document = document_of(field.stage.xs2a.get("/sandbox/v1/personality"))
    chosen = document.text("personality")
    for each in document.children("personalities"):
        if each.text("name") == chosen and each.child("requests").text("signature") == "off":
            raise NotTried(f"this bank ({chosen}) looks at no signatures: `sandbox personality set standard` has them judged")


def _strike(field: AttackField, request: HttpRequest, changes: Mapping[str, str | None] | None = None) -> HttpResponse:
    """Send a signed request, some headers changed or, by None, left out, over the victim's QWAC."""
    headers = {**request.headers, **(changes or {})}
    kept = {name: value for name, value in headers.items() if value is not None}
    return field.send(field.victim.qwac, replace(request, headers=kept))


def _tampered_body(field: AttackField) -> HttpResponse:
    return _strike(field, replace(_sealed(field), body=_asked(field, _GREEDIER).body))


def _tampered_body_spoofed(field: AttackField) -> HttpResponse:
    tampered = replace(_sealed(field), body=_asked(field, _GREEDIER).body)
    return _strike(field, tampered, {"X-Sandbox-Signature": "valid"})


def _tampered_header(field: AttackField) -> HttpResponse:
    return _strike(field, _sealed(field), {"X-Request-ID": field.stage.xs2a.new_request_id()})


def _added_header(field: AttackField) -> HttpResponse:
    return _strike(field, _sealed(field), {"TPP-Redirect-URI": "https://attacker.example/"})


def _missing_digest(field: AttackField) -> HttpResponse:
    return _strike(field, _sealed(field), {"Digest": None})


def _wrong_key(field: AttackField) -> HttpResponse:
    victim = _seal(field.victim.qseal)
    return _strike(field, _sealed(field, replace(victim, key=ec.generate_private_key(ec.SECP256R1()))))


def _forged_seal(field: AttackField) -> HttpResponse:
    return _strike(field, _sealed(field, load_seal(field.forged_seal)))


def _others_seal(field: AttackField) -> HttpResponse:
    return _strike(field, _sealed(field, _seal(field.other().qseal)))


def _qwac_as_seal(field: AttackField) -> HttpResponse:
    return _strike(field, _sealed(field, load_seal(field.victim.qwac)))


def _kept_request(field: AttackField) -> HttpResponse:
    return _strike(field, _sealed(field, age=_KEPT_FOR))


ATTACKS = (
    Attack(
        name="tampered-body",
        title="change the body of a signed request",
        clause="BG IG §12.1",
        expected=_INVALID,
        strike=_tampered_body,
    ),
    Attack(
        name="tampered-body-spoofed",
        title="the same, claiming in the gateway's own header that the signature is valid",
        clause="BG IG §12.1",
        expected=_INVALID,
        strike=_tampered_body_spoofed,
    ),
    Attack(
        name="tampered-header",
        title="change the X-Request-ID of a signed request",
        clause="BG IG §12.2",
        expected=_INVALID,
        strike=_tampered_header,
    ),
    Attack(
        name="added-redirect",
        title="add a TPP-Redirect-URI to a signed request",
        clause="BG IG §12.2",
        expected=_INVALID,
        strike=_added_header,
    ),
    Attack(
        name="missing-digest",
        title="leave the Digest out of a signed request",
        clause="BG IG §12.1",
        expected=_INVALID,
        strike=_missing_digest,
    ),
    Attack(
        name="wrong-seal-key",
        title="sign with another key than that of the victim's QSealC",
        clause="BG IG §12.2",
        expected=_INVALID,
        strike=_wrong_key,
    ),
    Attack(
        name="forged-seal",
        title="sign with a copy of the victim's QSealC that signs itself",
        clause="BG IG §4.2",
        expected=_NO_SEAL,
        strike=_forged_seal,
    ),
    Attack(
        name="others-seal",
        title="sign with another TPP's QSealC over the victim's QWAC",
        clause="BG IG §4.2",
        expected=_NO_SEAL,
        strike=_others_seal,
    ),
    Attack(
        name="qwac-as-seal",
        title="sign with the victim's QWAC",
        clause="TS 119 495 §5.3",
        expected=_NO_SEAL,
        strike=_qwac_as_seal,
    ),
    Attack(
        name="kept-request",
        title="send a signed request an hour after it was signed",
        clause="RFC 9110 §6.6.1",
        expected=_INVALID,
        strike=_kept_request,
    ),
)
