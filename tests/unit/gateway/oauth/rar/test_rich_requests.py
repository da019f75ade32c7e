"""Authorization by what is wanted instead of by the id of something made before (RFC 9396): the whole way, at the endpoints."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from sqlalchemy.exc import OperationalError

from gateway.oauth.bank import InteractionStatus
from gateway.oauth.rar.bank import ResourceRefused
from gateway.oauth.store import SqlOAuthStore
from psd2.roles import PspRole
from tests.support.authorization import CLIENT, ISSUER, NUMBER, answer_of, authorization_url, refusal_in, tpp

if TYPE_CHECKING:
    from tests.support.authorization import AuthorizationWorld


IBAN = "DE75512108001245126199"
PICKED = {"access": {"accounts": [{"iban": IBAN}]}}
WANTED: dict[str, Any] = {
    "type": "account_information",
    "access": {"accounts": []},
    "recurringIndicator": True,
    "validUntil": "2027-03-01",
    "frequencyPerDay": 4,
}
REQUEST = {name: value for name, value in WANTED.items() if name != "type"}
PAYMENT: dict[str, Any] = {
    "type": "payment_initiation",
    "paymentProduct": "sepa-credit-transfers",
    "debtorAccount": {"iban": IBAN},
    "instructedAmount": {"currency": "EUR", "amount": "12.50"},
    "creditorAccount": {"iban": IBAN},
    "creditorName": "Buchhandlung am Markt",
}


def details(*entries: dict[str, Any]) -> str:
    return json.dumps(entries or [WANTED])


def pushed_url(world: AuthorizationWorld, **wish: str) -> str:
    return f"{ISSUER}/authorize?{urlencode({'client_id': CLIENT, 'request_uri': world.request_uri(**wish)})}"


def test_what_is_wanted_is_made_and_put_before_the_psu(world: AuthorizationWorld) -> None:
    """In the TPP's tenant and the Berlin Group's words; the token is for exactly that, and says what the PSU has picked."""
    world.bank.picked = PICKED

    tokens = world.tokens(authorization_details=details())

    (made,) = world.bank.made
    assert (made.tenant, made.request) == (NUMBER, REQUEST)
    assert world.bank.begun[-1].resource == "made-1"
    assert tokens["scope"] == "AIS:made-1"
    assert tokens["authorization_details"] == [WANTED | PICKED | {"consentId": "made-1"}]
    assert world.bank.ended == []


def test_introspection_and_refreshing_say_the_same(world: AuthorizationWorld) -> None:
    """RFC 9396 §7 and §9.2."""
    tokens = world.tokens(authorization_details=details())

    refreshed = world.refresh(tokens["refresh_token"]).get_json()

    granted = tokens["authorization_details"]
    assert refreshed["authorization_details"] == granted
    for token in (tokens["access_token"], refreshed["access_token"], tokens["refresh_token"]):
        assert world.introspect(token)["authorization_details"] == granted


def test_a_token_by_scope_says_nothing_more(world: AuthorizationWorld) -> None:
    """The client knows what it has made."""
    tokens = world.tokens()

    assert "authorization_details" not in tokens | world.introspect(tokens["access_token"])
    assert world.bank.made == []


def test_a_payment_names_its_product(world: AuthorizationWorld) -> None:
    """What stands in the Berlin Group's path stands in `paymentProduct`; a payment gives no refresh token."""
    tokens = world.tokens(authorization_details=details(PAYMENT))

    assert world.bank.made[0].product == "sepa-credit-transfers"
    assert tokens["scope"] == "PIS:made-1"
    assert tokens["authorization_details"] == [PAYMENT | {"paymentId": "made-1"}]
    assert "refresh_token" not in tokens


def test_long_details_and_names_beyond_ascii(world: AuthorizationWorld) -> None:
    """Fifty accounts, or a payee with an umlaut, as JSON writes them."""
    many = WANTED | {"access": {"accounts": [{"iban": IBAN}] * 50}}

    world.tokens(authorization_details=details(many))
    world.tokens(authorization_details=json.dumps([PAYMENT | {"creditorName": "Bäckerei Müller"}], ensure_ascii=False))

    assert [made.request["creditorName"] for made in world.bank.made[1:] if made.request] == ["Bäckerei Müller"]


def test_what_was_made_before_is_named(world: AuthorizationWorld) -> None:
    """`identifier` says what scope would; nothing is made, and nothing ended where the PSU refuses."""
    wanted = {"type": "account_information", "identifier": "consent-1"}

    tokens = world.tokens(authorization_details=details(wanted))
    world.authorize(authorization_details=details(wanted))
    world.bank.settle(InteractionStatus.REJECTED)
    world.resume()

    assert tokens["scope"] == "AIS:consent-1"
    assert tokens["authorization_details"] == [wanted | {"consentId": "consent-1"}]
    assert (world.bank.made, world.bank.ended) == ([], [])


def test_the_psu_chooses_the_accounts_of_scope_accounts(world: AuthorizationWorld) -> None:
    """The consent is made as the bank offers it; the token response says which it became, and for which accounts."""
    world.bank.picked = PICKED

    tokens = world.tokens(scope="accounts")

    assert world.bank.made[0].request is None
    assert tokens["scope"] == "AIS:made-1"
    assert tokens["authorization_details"] == [{"type": "account_information", "consentId": "made-1"} | PICKED]


@pytest.mark.parametrize("status", [InteractionStatus.REJECTED, InteractionStatus.EXPIRED, InteractionStatus.FAILED])
@pytest.mark.parametrize("wish", [{"scope": "accounts"}, {"authorization_details": details()}])
def test_what_the_psu_does_not_approve_is_ended(
    world: AuthorizationWorld, status: InteractionStatus, wish: dict[str, Any]
) -> None:
    """Nobody would ever hear of it."""
    world.authorize(**wish)
    world.bank.settle(status)

    assert answer_of(world.resume())["error"] == "access_denied"
    assert world.bank.ended == ["AIS:made-1"]


def test_what_the_psu_approves_too_late_is_ended(world: AuthorizationWorld) -> None:
    """The client is told that it was not granted: then it is not to stand at the bank."""
    world.authorize(authorization_details=details())
    world.bank.settle(InteractionStatus.APPROVED)
    world.clock.advance(timedelta(seconds=world.settings.authorization_seconds))

    assert answer_of(world.resume())["error"] == "access_denied"
    assert world.bank.ended == ["AIS:made-1"]


@pytest.mark.parametrize("is_redeemed", [True, False])
def test_a_tab_that_is_opened_again_later_ends_nothing_that_is_in_use(world: AuthorizationWorld, is_redeemed: bool) -> None:  # noqa: FBT001 - a case
    """The client has its code, and perhaps its tokens: what the PSU approved stands."""
    code = world.code(authorization_details=details())
    if is_redeemed:
        assert world.redeem(code).status_code == 200
    world.clock.advance(timedelta(seconds=world.settings.authorization_seconds))

    assert answer_of(world.resume())["error"] == "access_denied"
    assert world.bank.ended == []


def test_while_the_psu_thinks_nothing_is_ended(world: AuthorizationWorld) -> None:
    """Coming back early leads to the bank's page again."""
    world.authorize(authorization_details=details())

    assert "/psu/" in world.resume().headers["Location"]
    assert world.bank.ended == []


def test_a_bank_that_is_down_when_it_is_to_end_something_does_not_hide_the_answer(world: AuthorizationWorld) -> None:
    """It turns down by itself what nobody can decide on any more."""
    world.authorize(authorization_details=details())
    world.bank.settle(InteractionStatus.REJECTED)
    world.bank.cannot_end = True

    assert answer_of(world.resume())["error"] == "access_denied"


@pytest.mark.parametrize(
    ("wish", "error", "description"),
    [
        ({"authorization_details": details(WANTED | {"type": "x"})}, "invalid_authorization_details", "$[0].type is x"),
        ({"authorization_details": "[]"}, "invalid_authorization_details", "$ holds 0 entries"),
        (
            {"authorization_details": details(WANTED | {"locations": ["https://elsewhere.example"]})},
            "invalid_authorization_details",
            "$[0].locations[0] is not https://localhost:8443",
        ),
        (
            {"authorization_details": details({"type": "account_information", "identifier": "nobody-s"})},
            "invalid_authorization_details",
            "names no consent or payment of this TPP",
        ),
        ({"scope": "accounts AIS:consent-1"}, "invalid_scope", "is not exactly one of"),
    ],
)
def test_a_faulty_wish_is_refused_before_anything_is_made(
    world: AuthorizationWorld, wish: dict[str, Any], error: str, description: str
) -> None:
    """Where it is pushed, or to the client where only the bank knows."""
    answer = refusal_in(world.authorize(**wish))

    assert answer["error"] == error
    assert description in answer["error_description"]
    assert world.bank.made == []


def test_both_scope_and_details_are_refused(world: AuthorizationWorld) -> None:
    """One of them says it."""
    answer = answer_of(world.front(f"{authorization_url()}&authorization_details={details()}"))

    assert answer["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("wish", "role"), [({"scope": "accounts"}, "PSP_AI"), ({"authorization_details": details()}, "PSP_AI")]
)
def test_a_tpp_without_the_role_is_refused(world: AuthorizationWorld, wish: dict[str, Any], role: str) -> None:
    """Nothing is made in its name."""
    world.register.save_tpp(tpp(roles=frozenset({PspRole.PI})))

    assert f"needs the role {role}" in refusal_in(world.authorize(**wish))["error_description"]
    assert world.bank.made == []


def test_what_the_bank_does_not_take_is_said_with_its_place(world: AuthorizationWorld) -> None:
    """The bank's path, from the entry on."""
    world.bank.refuses = ResourceRefused(code="request.format", faults=[("frequencyPerDay", "frequencyPerDay is 9: ask for 4")])

    answer = answer_of(world.authorize(authorization_details=details()))

    assert answer["error"] == "invalid_authorization_details"
    assert "$[0].frequencyPerDay is not taken by the bank: frequencyPerDay is 9: ask for 4" in answer["error_description"]


def test_a_bank_that_offers_no_choice_of_accounts(world: AuthorizationWorld) -> None:
    """It is the scope that can't be had."""
    world.bank.refuses = ResourceRefused(
        code="request.parameter_not_supported", faults=[("access", "no bank-offered consents")]
    )

    answer = answer_of(world.authorize(scope="accounts"))

    assert (answer["error"], answer["error_description"]) == ("invalid_scope", "scope: accounts: no bank-offered consents")


@pytest.mark.parametrize("wish", [{"scope": "accounts"}, {"authorization_details": details()}])
def test_nothing_is_made_on_the_word_of_an_address(world: AuthorizationWorld, wish: dict[str, Any]) -> None:
    """Anybody can write one, with anybody's client_id: what is to make something has to be pushed."""
    browser = answer_of(world.front(authorization_url(**wish)))
    headless = world.be_psu(url=authorization_url(**wish))

    assert browser["error"] == "invalid_request"
    assert "push the request first (POST /par)" in browser["error_description"]
    assert headless.status_code == 422
    assert world.bank.made == []


def test_without_a_browser_by_the_same_way(world: AuthorizationWorld) -> None:
    """`POST /sandbox/v1/psu-interactions` takes the same URL, and the PSU's choice of accounts."""
    url = pushed_url(world, authorization_details=details())

    answer = world.be_psu(url=url, accounts=[IBAN])

    assert "code=" in answer.get_json()["redirect"]
    assert world.bank.decisions == [("anna.weber", [IBAN])]


def test_a_psu_that_the_bank_does_not_know_leaves_nothing_behind(world: AuthorizationWorld) -> None:
    """The wish is refused, and nothing is made for it."""
    answer = world.be_psu(url=pushed_url(world, scope="accounts"), psu="nobody")

    assert answer.status_code == 422
    assert world.bank.made == []


@pytest.mark.parametrize("is_decided", [True, False])
def test_a_request_that_can_not_be_kept_leaves_nothing_behind(
    world: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch, *, is_decided: bool
) -> None:
    """What the bank has made for it, and decided on perhaps, its client would never hear of; it may be begun once more."""
    url = pushed_url(world, scope="accounts")

    def fail(*_: object) -> None:
        raise OperationalError("", None, OSError("gone"))

    with monkeypatch.context() as failing:
        failing.setattr(SqlOAuthStore, "add_request", fail)
        answer = world.be_psu(url=url) if is_decided else world.front(url)

    assert (answer.status_code, world.bank.ended) == (503, ["AIS:made-1"])
    assert world.be_psu(url=url).status_code == 200
    assert world.bank.ended == ["AIS:made-1"]
