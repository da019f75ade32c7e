"""The Berlin Group calls: what they send, how their answers are judged."""

from __future__ import annotations

from datetime import date

import pytest

from psd2.ids import AccountId, PaymentId
from psd2.money import Money
from tests.unit.tpp_client.fakes import EDGE, ScriptedTransport, answer
from tpp_client.accounts import (
    MOST_PAGES,
    accounts_request,
    process_accounts_response,
    process_balances_response,
    transaction_pages,
)
from tpp_client.consents import ConsentDraft, consent_request, process_consent_deletion_response, process_consent_response
from tpp_client.errors import Refused, UnexpectedResponse
from tpp_client.funds import funds_confirmation_request, process_funds_confirmation_response
from tpp_client.payments import (
    PaymentOrder,
    payment_request,
    payment_status_request,
    process_payment_response,
    process_payment_status_response,
)
from tpp_client.sandbox_api import process_data_response, psu_interaction_request
from tpp_client.xs2a import Access, Xs2a

ACCESS = Access(token="acc3ss", consent_id="c1")
ACCOUNT = AccountId("a1")
SINCE = date(2026, 1, 1)
MOVEMENT = {"transactionAmount": {"currency": "EUR", "amount": "-4.20"}, "creditorName": "Bakery", "bookingDate": "2026-02-03"}


def bank(*answers: object) -> tuple[Xs2a, ScriptedTransport]:
    transport = ScriptedTransport(*answers)  # type: ignore[arg-type]
    return Xs2a(transport=transport, edge=EDGE, new_request_id=lambda: "r1"), transport


def page(next_link: str | None, *movements: object) -> object:
    links = {"account": {"href": "/v1/accounts/a1"}} | ({"next": {"href": next_link}} if next_link else {})
    return answer(200, {"transactions": {"booked": list(movements), "_links": links}})


def test_every_call_names_itself_and_says_where_the_psu_is() -> None:
    """BG IG §4.8: X-Request-ID always, PSU-IP-Address while the PSU is there."""
    xs2a, transport = bank(answer(200, {"accounts": []}), answer(200, {"accounts": []}))

    accounts_request(xs2a, ACCESS)
    accounts_request(Xs2a(transport=transport, edge=EDGE, psu_ip_address=None), ACCESS)

    asked = transport.requests[0].headers
    assert (asked["X-Request-ID"], asked["PSU-IP-Address"]) == ("r1", "127.0.0.1")
    assert (asked["Authorization"], asked["Consent-ID"]) == ("Bearer acc3ss", "c1")
    assert "PSU-IP-Address" not in transport.requests[1].headers


def test_the_token_stays_out_of_every_repr() -> None:
    """Neither the access nor a request shows it."""
    xs2a, transport = bank(answer(200, {"accounts": []}))

    response = accounts_request(xs2a, ACCESS)

    assert "acc3ss" not in repr((ACCESS, xs2a, transport.requests, response))


def test_a_link_away_from_the_bank_is_not_followed() -> None:
    """A token would go with it."""
    xs2a, transport = bank(page("https://attacker.example/v1/accounts/a1/transactions?page=2"))

    with pytest.raises(UnexpectedResponse, match=r"attacker\.example"):
        list(transaction_pages(xs2a, ACCESS, ACCOUNT, since=SINCE))
    assert len(transport.requests) == 1


@pytest.mark.parametrize("link", ["/v1/accounts/a1/transactions?page=2", f"{EDGE}/v1/accounts/a1/transactions?page=2"])
def test_pages_are_followed_by_relative_and_full_links(link: str) -> None:
    """BG IG §4.5: links can be both."""
    xs2a, transport = bank(page(link, MOVEMENT), page(None, MOVEMENT, MOVEMENT))

    pages = list(transaction_pages(xs2a, ACCESS, ACCOUNT, since=SINCE))

    assert [len(one.booked) for one in pages] == [1, 2]
    assert pages[0].booked[0].amount == Money(-420, "EUR")
    assert transport.requests[1].url == f"{EDGE}/v1/accounts/a1/transactions?page=2"
    assert transport.requests[1].headers["Authorization"] == "Bearer acc3ss"


def test_pages_are_asked_for_as_they_are_wanted() -> None:
    """A caller who stops early asks for no page too many."""
    xs2a, transport = bank(page("/v1/next", MOVEMENT))

    next(transaction_pages(xs2a, ACCESS, ACCOUNT, since=SINCE))

    assert len(transport.requests) == 1


def test_pages_that_run_in_a_circle_end() -> None:
    """A limit on everything."""
    xs2a, transport = bank(*[page("/v1/again") for _ in range(MOST_PAGES + 1)])

    with pytest.raises(UnexpectedResponse, match="circle"):
        list(transaction_pages(xs2a, ACCESS, ACCOUNT, since=SINCE))
    assert len(transport.requests) <= MOST_PAGES + 1


def test_an_account_id_cannot_leave_its_place_in_the_path() -> None:
    """The id comes from the bank; it is still only an id."""
    xs2a, transport = bank(page(None))

    list(transaction_pages(xs2a, ACCESS, AccountId("../../consents?x="), since=SINCE))

    assert transport.requests[0].url.startswith(f"{EDGE}/v1/accounts/..%2F..%2Fconsents%3Fx%3D/transactions?")


def test_accounts_and_balances_are_read() -> None:
    """XS2A 1.3.11 accountDetails and balance."""
    accounts = process_accounts_response(answer(200, {"accounts": [{"resourceId": "a1", "iban": "DE1", "currency": "EUR"}]}))
    entry = {"balanceType": "closingBooked", "balanceAmount": {"currency": "EUR", "amount": "100"}}
    balances = process_balances_response(answer(200, {"balances": [entry]}))

    assert (accounts[0].account_id, accounts[0].iban, accounts[0].name) == ("a1", "DE1", None)
    assert (balances[0].kind, balances[0].amount) == ("closingBooked", Money(10000, "EUR"))


def test_a_consent_without_ibans_lets_the_psu_choose() -> None:
    """BG IG §6.3.1.2: empty arrays make it bank-offered."""
    links = {"scaOAuth": {"href": "https://localhost:8441/.well-known/oauth-authorization-server"}}
    created = {"consentId": "c1", "consentStatus": "received", "_links": links}
    xs2a, transport = bank(answer(201, created, {"aspsp-sca-approach": "REDIRECT"}))

    consent = process_consent_response(consent_request(xs2a, ConsentDraft(valid_until=date(2026, 12, 31))))

    assert transport.json() == {
        "access": {"accounts": [], "balances": [], "transactions": []},
        "recurringIndicator": True,
        "validUntil": "2026-12-31",
        "frequencyPerDay": 4,
        "combinedServiceIndicator": False,
    }
    assert (consent.consent_id, consent.status, consent.sca.approach) == ("c1", "received", "REDIRECT")
    assert consent.sca.links["scaOAuth"] == links["scaOAuth"]["href"]


def test_a_consent_can_name_accounts() -> None:
    """BG IG §6.3.1.1: a detailed consent."""
    body = ConsentDraft(valid_until=date(2026, 12, 31), ibans=("DE1", "DE2")).as_json()

    assert body["access"] == {kind: [{"iban": "DE1"}, {"iban": "DE2"}] for kind in ("accounts", "balances", "transactions")}


def test_a_deleted_consent_answers_204_only() -> None:
    """XS2A 1.3.11."""
    process_consent_deletion_response(answer(204))
    with pytest.raises(Refused):
        process_consent_deletion_response(answer(403, {"tppMessages": [{"code": "CONSENT_UNKNOWN"}]}))


def test_a_payment_goes_out_exactly() -> None:
    """Amounts are decimal texts; the path names the product."""
    order = PaymentOrder(
        debtor_iban="DE1", creditor_iban="DE2", creditor_name="Bo", amount=Money(1205, "EUR"), remittance="Lunch"
    )
    created = {"paymentId": "p1", "transactionStatus": "RCVD", "_links": {}}
    xs2a, transport = bank(answer(201, created), answer(200, {"transactionStatus": "ACSC"}))

    payment = process_payment_response(payment_request(xs2a, order))
    status = process_payment_status_response(payment_status_request(xs2a, PaymentId("p1")))

    assert transport.requests[0].url == f"{EDGE}/v1/payments/sepa-credit-transfers"
    assert transport.json(0) == {
        "debtorAccount": {"iban": "DE1"},
        "instructedAmount": {"currency": "EUR", "amount": "12.05"},
        "creditorAccount": {"iban": "DE2"},
        "creditorName": "Bo",
        "remittanceInformationUnstructured": "Lunch",
    }
    assert (payment.payment_id, payment.status, status) == ("p1", "RCVD", "ACSC")


def test_funds_are_confirmed_with_a_plain_yes_or_no() -> None:
    """BG IG §10: nothing but a boolean."""
    xs2a, transport = bank(answer(200, {"fundsAvailable": False}))

    response = funds_confirmation_request(xs2a, ACCESS, iban="DE1", amount=Money(100, "EUR"))

    assert process_funds_confirmation_response(response) is False
    assert transport.json() == {"account": {"iban": "DE1"}, "instructedAmount": {"currency": "EUR", "amount": "1.00"}}
    with pytest.raises(UnexpectedResponse):
        process_funds_confirmation_response(answer(200, {"fundsAvailable": "yes"}))


def test_the_psu_may_choose_no_account_or_leave_it_to_the_bank() -> None:
    """An empty choice is a choice; no choice is left out."""
    xs2a, transport = bank(answer(200), answer(200))

    psu_interaction_request(xs2a, url="https://x", psu="anna.weber", accounts=())
    psu_interaction_request(xs2a, url="https://x", psu="anna.weber", result="REJECTED")

    assert transport.json(0) == {"url": "https://x", "psu": "anna.weber", "result": "APPROVED", "accounts": []}
    assert transport.json(1) == {"url": "https://x", "psu": "anna.weber", "result": "REJECTED"}


def test_a_personas_password_stays_out_of_the_repr() -> None:
    """Sandbox passwords are still passwords."""
    persona = {"psu": "anna.weber", "name": "Anna Weber", "password": "s3same", "accounts": []}

    (found,) = process_data_response(answer(200, {"tenant": "t", "personas": [persona]}))

    assert found.password == "s3same"
    assert "s3same" not in repr(found)
