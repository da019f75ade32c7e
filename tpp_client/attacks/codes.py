"""Attacks on the way to a token: replayed and stolen codes, PKCE left out or weakened (RFC 7636, RFC 9700 §2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psd2.ids import new_secret
from tpp_client.attacks.model import Attack, Expectation, expect, read_page, read_redirect
from tpp_client.speaking import voice_of
from tpp_client.tokens import process_token_response

if TYPE_CHECKING:
    from tpp_client.attacks.field import AttackField
    from tpp_client.wire import HttpResponse

_GRANT_REFUSED = expect(400, "invalid_grant", "invalid_request")
_CLIENT_REFUSED = Expectation(statuses=frozenset({400, 401}), codes=frozenset({"invalid_grant", "invalid_client"}))
_REQUEST_REFUSED = Expectation(statuses=frozenset({302, 303, 400}), codes=frozenset({"invalid_request"}))


def _replayed(field: AttackField) -> HttpResponse:
    code = field.fresh_code()
    process_token_response(field.redeem(code), token_type=field.voice.token_type)
    return field.redeem(code)


def _stolen(field: AttackField) -> HttpResponse:
    return field.redeem(field.fresh_code(), credential=field.other().qwac)


def _stolen_as_own(field: AttackField) -> HttpResponse:
    other = field.other()
    voice = voice_of(other, clock=field.stage.clock)
    return field.redeem(field.fresh_code(), credential=other.qwac, voice=voice, change={"client_id": other.client_id})


def _wrong_verifier(field: AttackField) -> HttpResponse:
    return field.redeem(field.fresh_code(), change={"code_verifier": new_secret()})


def _no_verifier(field: AttackField) -> HttpResponse:
    return field.redeem(field.fresh_code(), change={"code_verifier": None})


def _other_redirect(field: AttackField) -> HttpResponse:
    return field.redeem(field.fresh_code(), change={"redirect_uri": "https://attacker.example/callback"})


def _plain(field: AttackField) -> HttpResponse:
    return field.request_authorization(lambda query: query.update(code_challenge_method="plain"))


def _no_challenge(field: AttackField) -> HttpResponse:
    def strip(query: dict[str, str]) -> None:
        del query["code_challenge"], query["code_challenge_method"]

    return field.request_authorization(strip)


def _no_method(field: AttackField) -> HttpResponse:
    def strip(query: dict[str, str]) -> None:
        del query["code_challenge_method"]  # RFC 7636 §4.3 would fall back to plain

    return field.request_authorization(strip)


def _redirect_elsewhere(field: AttackField) -> HttpResponse:
    return field.request_authorization(lambda query: query.update(redirect_uri="https://attacker.example/callback"))


ATTACKS = (
    Attack(
        name="code-replay",
        title="exchange the same code a second time",
        clause="RFC 6749 §4.1.2",
        expected=expect(400, "invalid_grant"),
        strike=_replayed,
    ),
    Attack(
        name="code-theft",
        title="exchange the victim's code over another TPP's certificate, as the victim",
        clause="RFC 8705 §2.1",
        expected=_CLIENT_REFUSED,
        strike=_stolen,
    ),
    Attack(
        name="code-injection",
        title="exchange the victim's code as another TPP",
        clause="RFC 9700 §4.5",
        expected=_CLIENT_REFUSED,
        strike=_stolen_as_own,
    ),
    Attack(
        name="pkce-wrong",
        title="exchange a code with another verifier",
        clause="RFC 7636 §4.6",
        expected=_GRANT_REFUSED,
        strike=_wrong_verifier,
    ),
    Attack(
        name="pkce-missing",
        title="exchange a code without the verifier",
        clause="RFC 7636 §4.5",
        expected=_GRANT_REFUSED,
        strike=_no_verifier,
    ),
    Attack(
        name="redirect-changed",
        title="exchange a code with another redirect_uri than it was asked with",
        clause="RFC 6749 §4.1.3",
        expected=_GRANT_REFUSED,
        strike=_other_redirect,
    ),
    Attack(
        name="pkce-plain",
        title="ask for authorization with the plain method",
        clause="RFC 9700 §2.1.1",
        expected=_REQUEST_REFUSED,
        strike=_plain,
        read=read_redirect,
    ),
    Attack(
        name="pkce-no-method",
        title="ask for authorization with a challenge whose method is left out",
        clause="RFC 7636 §4.3",
        expected=_REQUEST_REFUSED,
        strike=_no_method,
        read=read_redirect,
    ),
    Attack(
        name="pkce-none",
        title="ask for authorization without a challenge",
        clause="RFC 9700 §2.1.1",
        expected=_REQUEST_REFUSED,
        strike=_no_challenge,
        read=read_redirect,
    ),
    Attack(
        name="redirect-elsewhere",
        title="ask for authorization with an unregistered redirect_uri",
        clause="RFC 9700 §2.1",
        # A page for the person, never a redirect: that would make the bank an open redirector (RFC 6749 §4.1.2.1).
        # A client that pushes is told by itself.
        expected=expect(400, "page", "invalid_request"),
        strike=_redirect_elsewhere,
        read=read_page,
    ),
)
