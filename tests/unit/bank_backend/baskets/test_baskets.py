"""Signing baskets: grouped, signed once, each member with a fate of its own (BG IG 1.3.8 §8)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.ledger.store import SqlLedgerStore
from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT, TENANT
from tests.support.bank_sca import CONSENTS, PAYMENTS, Tpp, consent_body, payment_body, refusal
from tests.unit.bank_backend.authorisations.embedding import Embedding
from tests.unit.bank_backend.authorisations.test_several_signatures import IGOR, PETRA, decide_at, invitation, shared_iban

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.test import TestResponse

    from bank_backend.database import Connection
    from bank_backend.ledger.model import BookAccount
    from psd2.ids import AccountId, PsuId, TenantId
    from tests.support.bank_sca import BankDesk

BASKETS = "/v1/signing-baskets"
EXPLICIT = {"TPP-Explicit-Authorisation-Preferred": "true"}


def pay(desk: BankDesk, amount: str = "12.50", *, iban: str = "", **changes: Any) -> str:
    body = payment_body(iban or desk.iban(), instructedAmount={"currency": "EUR", "amount": amount}, **changes)
    return str(desk.tpp.post(PAYMENTS, body, **EXPLICIT).json["paymentId"])  # type: ignore[index]


def consent(desk: BankDesk, **changes: Any) -> str:
    body = consent_body(**({"access": {"balances": [{"iban": desk.iban()}]}} | changes))
    return str(desk.tpp.post(CONSENTS, body, **EXPLICIT).json["consentId"])  # type: ignore[index]


def group(desk: BankDesk, payments: list[str], consents: list[str] | None = None, **headers: str) -> TestResponse:
    body = {"paymentIds": payments} | ({"consentIds": consents} if consents else {})
    return desk.tpp.post(BASKETS, body, **headers)


def grouped(desk: BankDesk, payments: list[str], consents: list[str] | None = None) -> str:
    """Group and return the basket's path."""
    answer = group(desk, payments, consents)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


def sign(desk: BankDesk, basket: str, *, psu: PsuId = ANNA, result: str = "APPROVED") -> TestResponse:
    """Have a PSU decide on the basket in its bank app."""
    started = desk.tpp.post(f"{basket}/authorisations", PSU_ID=psu, TPP_Decoupled_Preferred="true")
    assert started.status_code == 201, started.text
    return decide_at(desk, invitation(desk, basket), psu, result)


def status(desk: BankDesk, path: str) -> str:
    body: dict[str, Any] = desk.tpp.get(f"{path}/status").json  # type: ignore[assignment]
    return str(body.get("transactionStatus") or body["consentStatus"])


def test_one_signature_authorises_all(desk: BankDesk) -> None:
    """Payments are executed and the consent is valid, by one authorisation of the basket."""
    payments, consents = [pay(desk, "10.00"), pay(desk, "20.00")], [consent(desk)]
    made = group(desk, payments, consents)
    basket = made.headers["Location"]

    assert made.json["transactionStatus"] == "RCVD"  # type: ignore[index]
    assert "startAuthorisation" in " ".join(made.json["_links"])  # type: ignore[index]
    assert "scaOAuth" not in made.json["_links"]  # type: ignore[index]
    assert sign(desk, basket).json["scaStatus"] == "finalised"  # type: ignore[index]
    assert desk.tpp.get(basket).json == {"payments": payments, "consents": consents, "transactionStatus": "ACTC"}
    assert [status(desk, f"{PAYMENTS}/{each}") for each in payments] == ["ACSC", "ACSC"]
    assert status(desk, f"{CONSENTS}/{consents[0]}") == "valid"


def test_one_code_is_bound_to_every_amount_and_payee(desk: BankDesk) -> None:
    """Embedded: the message names both payments (RTS 2018/389 Art. 5)."""
    payments = [pay(desk, "10.00"), pay(desk, "20.00")]
    basket = grouped(desk, payments)
    desk.bank.services.personalities.choose(TENANT, "standard")
    flow = Embedding(desk, basket)
    flow.start(TPP_Redirect_Preferred="false", TPP_Decoupled_Preferred="false")
    flow.method()

    text = desk.bank.services.inbox.messages(TENANT, ANNA)[0].text
    flow.code()

    assert "10.00 EUR" in text
    assert "20.00 EUR" in text
    assert status(desk, basket) == "ACTC"


def test_a_payment_is_rejected_on_its_own(desk: BankDesk) -> None:
    """What the account does not cover is rejected; the rest is paid."""
    small, large = pay(desk, "10.00"), pay(desk, "900000.00")
    basket = grouped(desk, [small, large])

    sign(desk, basket)

    assert status(desk, basket) == "ACTC"
    assert (status(desk, f"{PAYMENTS}/{small}"), status(desk, f"{PAYMENTS}/{large}")) == ("ACSC", "RJCT")


def test_a_refusal_turns_down_all_that_was_shown(desk: BankDesk) -> None:
    """Basket and members."""
    payments = [pay(desk), pay(desk)]
    basket = grouped(desk, payments)

    sign(desk, basket, result="REJECTED")

    assert status(desk, basket) == "RJCT"
    assert [status(desk, f"{PAYMENTS}/{each}") for each in payments] == ["RJCT", "RJCT"]


def test_a_member_is_not_authorised_on_its_own(desk: BankDesk) -> None:
    """It is blocked by its grouping (BG IG §14.11.1), and what was started before has ended; OAuth finds no way either."""
    payment = pay(desk)
    started = desk.tpp.post(f"{PAYMENTS}/{payment}/authorisations").headers["Location"]
    basket = grouped(desk, [payment])

    again = desk.tpp.post(f"{PAYMENTS}/{payment}/authorisations")
    body = {"tenant": TENANT, "kind": "pis", "resource": payment, "client_id": TENANT, "client_name": "App"}
    visit = desk.internal("POST", "/internal/interactions", body | {"return_url": "https://localhost:8441/authorize/resume/x"})

    assert refusal(again)[:2] == (400, "RESOURCE_BLOCKED")
    assert visit.status_code == 400
    assert desk.tpp.get(started).json == {"scaStatus": "failed"}
    assert status(desk, basket) == "RCVD"


def test_a_deleted_basket_lets_its_members_go(desk: BankDesk) -> None:
    """They wait as before (BG IG §8.5), and can be grouped again."""
    payment = pay(desk)
    basket = grouped(desk, [payment])

    assert desk.tpp.delete(basket).status_code == 204
    assert (status(desk, basket), status(desk, f"{PAYMENTS}/{payment}")) == ("CANC", "RCVD")
    assert refusal(desk.tpp.delete(basket))[:2] == (409, "STATUS_INVALID")
    other = grouped(desk, [payment])
    sign(desk, other)
    assert status(desk, f"{PAYMENTS}/{payment}") == "ACSC"


def test_a_signed_basket_can_not_be_deleted(desk: BankDesk) -> None:
    """Nor started again."""
    basket = grouped(desk, [pay(desk)])
    sign(desk, basket)

    assert refusal(desk.tpp.delete(basket))[:2] == (409, "STATUS_INVALID")
    assert refusal(desk.tpp.post(f"{basket}/authorisations"))[:2] == (409, "STATUS_INVALID")


def test_a_basket_runs_out_of_time(desk: BankDesk) -> None:
    """After a day nobody can authorise it any more."""
    basket = grouped(desk, [pay(desk)])
    desk.bank.clock.advance(timedelta(hours=25))

    assert status(desk, basket) == "RJCT"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "FORMAT_ERROR", "paymentIds")),
        ({"paymentIds": []}, (400, "FORMAT_ERROR", "paymentIds")),
        ({"paymentIds": ["7d1d0a3e-6a0e-4f52-9c39-0a4ed32b2a11"]}, (400, "RESOURCE_UNKNOWN", "paymentIds[0]")),
        ({"consentIds": ["7d1d0a3e-6a0e-4f52-9c39-0a4ed32b2a11"]}, (400, "RESOURCE_UNKNOWN", "consentIds[0]")),
        ({"payments": ["x"]}, (400, "FORMAT_ERROR", "payments")),
    ],
)
def test_a_faulty_body_is_named(desk: BankDesk, body: dict[str, Any], expected: tuple[int, str, str]) -> None:
    """Each entry by its place."""
    assert refusal(desk.tpp.post(BASKETS, body)) == expected


def test_what_can_not_be_grouped_is_named(desk: BankDesk) -> None:
    """Twice the same, authorised already, in another basket, or a choice of accounts."""
    first, second, paid = pay(desk), pay(desk), pay(desk)
    desk.decide(desk.begin("pis", paid))
    grouped(desk, [first])

    assert refusal(group(desk, [second, second])) == (400, "FORMAT_ERROR", "paymentIds[1]")
    assert refusal(group(desk, [second, paid])) == (409, "REFERENCE_STATUS_INVALID", "paymentIds[1]")
    assert refusal(group(desk, [second, first])) == (400, "RESOURCE_BLOCKED", "paymentIds[1]")
    any_accounts = consent(desk, access={"balances": [], "transactions": []})
    assert refusal(group(desk, [second], [any_accounts])) == (400, "REFERENCE_MIX_INVALID", "consentIds[0]")
    assert status(desk, grouped(desk, [second])) == "RCVD"


def test_a_repeated_request_groups_nothing_anew(desk: BankDesk) -> None:
    """The same X-Request-ID with the same members answers the same basket; with others it is refused."""
    payment, other, request = pay(desk), pay(desk), str(uuid.uuid4())
    first = group(desk, [payment], X_Request_ID=request)

    again = group(desk, [payment], X_Request_ID=request)

    assert again.json["basketId"] == first.json["basketId"]  # type: ignore[index]
    assert refusal(group(desk, [other], X_Request_ID=request)) == (400, "FORMAT_ERROR", "X-Request-ID")


def test_anothers_payments_and_baskets_are_unknown(desk: BankDesk) -> None:
    """Neither grouped nor read nor deleted."""
    payment = pay(desk)
    basket = grouped(desk, [payment])
    other = Tpp(desk.app.test_client(), tenant=OTHER_TENANT)

    assert refusal(other.post(BASKETS, {"paymentIds": [payment]})) == (400, "RESOURCE_UNKNOWN", "paymentIds[0]")
    for answer in (
        other.get(basket),
        other.get(f"{basket}/status"),
        other.delete(basket),
        other.post(f"{basket}/authorisations"),
    ):
        assert refusal(answer)[:2] == (403, "RESOURCE_UNKNOWN")
    assert status(desk, basket) == "RCVD"


def test_consents_are_grouped_by_an_aisp_alone(desk: BankDesk) -> None:
    """A PISP without the role can't get at accounts this way."""
    body = {"paymentIds": [pay(desk)], "consentIds": [consent(desk)]}
    pisp = Tpp(desk.app.test_client(), roles="PSP_PI")

    assert refusal(pisp.post(BASKETS, body))[:2] == (401, "ROLE_INVALID")


def test_all_accounts_have_to_be_the_psus(desk: BankDesk) -> None:
    """Who holds one of two accounts signs neither."""
    payments = [pay(desk), pay(desk, iban=desk.iban(JONAS))]
    basket = grouped(desk, payments)
    started = desk.tpp.post(f"{basket}/authorisations", PSU_ID=ANNA, TPP_Decoupled_Preferred="true")

    assert started.json["scaStatus"] == "failed"  # type: ignore[index]
    assert [status(desk, f"{PAYMENTS}/{each}") for each in payments] == ["RCVD", "RCVD"]


def test_several_sign_a_basket(desk: BankDesk) -> None:
    """PATC for the basket and its payment after the first, all done after the second."""
    payment = pay(desk, iban=shared_iban(desk))
    basket = grouped(desk, [payment])

    sign(desk, basket, psu=PETRA)
    between = (status(desk, basket), status(desk, f"{PAYMENTS}/{payment}"))
    deletion = desk.tpp.delete(basket)
    decide_at(desk, invitation(desk, basket), IGOR)

    assert between == ("PATC", "PATC")
    assert refusal(deletion)[:2] == (409, "STATUS_INVALID")
    assert (status(desk, basket), status(desk, f"{PAYMENTS}/{payment}")) == ("ACTC", "ACSC")


def test_the_accounts_of_all_payments_are_locked_before_the_first(desk: BankDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one go and so in one order: two baskets that pay each other's payees would wait for each other for ever."""
    locked: list[set[AccountId]] = []
    lock = SqlLedgerStore.lock

    def watched(
        store: SqlLedgerStore, connection: Connection, tenant: TenantId, account_ids: Sequence[AccountId]
    ) -> list[BookAccount]:
        locked.append(set(account_ids))
        return lock(store, connection, tenant, account_ids)

    payees = [desk.iban(JONAS), desk.iban(IGOR)]
    payments = [pay(desk, creditorAccount={"iban": iban}) for iban in payees]
    basket = grouped(desk, payments)
    monkeypatch.setattr(SqlLedgerStore, "lock", watched)

    sign(desk, basket)

    assert [status(desk, f"{PAYMENTS}/{each}") for each in payments] == ["ACCC", "ACCC"]
    assert len(locked[0]) >= len(payees) + 1
    assert set().union(*locked) == locked[0]
