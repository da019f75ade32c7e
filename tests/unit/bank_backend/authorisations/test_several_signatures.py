"""Accounts that need several signatures: partly authorised until the last is there (BG IG 1.3.8 §5.8, §6.3.4)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from psd2.ids import PsuId
from tests.support.bank_core import ANNA, TENANT
from tests.support.bank_sca import CONSENTS, PAYMENTS, consent_body, payment_body, refusal
from tests.unit.bank_backend.authorisations.embedding import Embedding, change_standard

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.bank_sca import BankDesk

PETRA, IGOR = PsuId("petra.hofmann"), PsuId("igor.stein")


def shared_iban(desk: BankDesk) -> str:
    """Return the IBAN of the account that needs both."""
    held = desk.bank.services.accounts.accounts_of(TENANT, PETRA)
    return next(account.iban for account in held if account.signatures_required == 2)


def payment(desk: BankDesk, **headers: str) -> TestResponse:
    return desk.tpp.post(PAYMENTS, payment_body(shared_iban(desk)), **headers)


def links(answer: TestResponse) -> dict[str, Any]:
    found: dict[str, Any] = answer.json["_links"]  # type: ignore[index]
    return found


def statuses(desk: BankDesk, resource: str) -> list[str]:
    """Return the SCA status of each authorisation, oldest first."""
    ids = desk.tpp.get(f"{resource}/authorisations").json["authorisationIds"]  # type: ignore[index]
    return [desk.tpp.get(f"{resource}/authorisations/{each}").json["scaStatus"] for each in ids]  # type: ignore[index]


def invitation(desk: BankDesk, resource: str) -> str:
    """Return the address of the authorisation that waits in a bank app."""
    ids = desk.tpp.get(f"{resource}/authorisations").json["authorisationIds"]  # type: ignore[index]
    found = {each: desk.tpp.get(f"{resource}/authorisations/{each}").json["scaStatus"] for each in ids}  # type: ignore[index]
    (waiting,) = [each for each, status in found.items() if status == "psuIdentified"]
    return f"https://localhost:8443{resource}/authorisations/{waiting}"


def decide_at(desk: BankDesk, address: str, psu: PsuId, result: str = "APPROVED") -> TestResponse:
    body = {"tenant": TENANT, "address": address, "psu": psu, "result": result}
    return desk.internal("POST", "/internal/interactions/decisions", body)


def test_the_tpp_has_to_start_each_authorisation(desk: BankDesk) -> None:
    """No link of an SCA approach stands in the first answer, since all starts are equal (BG IG §5.8)."""
    answer = payment(desk)

    assert set(links(answer)) == {"self", "status", "startAuthorisation"}


def test_the_first_signs_by_oauth_and_the_second_in_the_bank_app(desk: BankDesk) -> None:
    """PATC in between, and the second finds the request waiting for it, without a start of the TPP's."""
    made = payment(desk)
    resource, status = links(made)["self"]["href"], links(made)["status"]["href"]
    assert desk.decide(desk.begin("pis", made.json["paymentId"]), psu=PETRA).status_code == 200  # type: ignore[index]

    between = desk.tpp.get(status).json["transactionStatus"]  # type: ignore[index]
    with desk.bank.database.writing() as connection:
        (waiting,) = desk.bank.services.authorising.signing.waiting_for(connection, TENANT, IGOR)
        pushes = desk.bank.services.sca.waiting(connection, TENANT, IGOR, desk.bank.services.clock.now(TENANT, connection))
    answer = decide_at(desk, invitation(desk, resource), IGOR)

    assert between == "PATC"
    assert waiting.authorisation.resource == made.json["paymentId"]  # type: ignore[index]
    assert [push.authorisation for push in pushes] == [waiting.authorisation.id]
    assert answer.json == {"redirect": None, "scaStatus": "finalised"}
    assert desk.tpp.get(status).json["transactionStatus"] == "ACSC"  # type: ignore[index]
    assert statuses(desk, resource) == ["finalised", "finalised"]


def test_what_is_signed_elsewhere_waits_in_the_bank_app_no_more(desk: BankDesk) -> None:
    """The second comes by OAuth, too: the bank's invitation ends with what it was for."""
    made = payment(desk)
    resource, paid = links(made)["self"]["href"], made.json["paymentId"]  # type: ignore[index]
    desk.decide(desk.begin("pis", paid), psu=PETRA)
    before = statuses(desk, resource)

    desk.decide(desk.begin("pis", paid), psu=IGOR)

    assert sorted(before) == ["finalised", "psuIdentified"]
    assert sorted(statuses(desk, resource)) == ["failed", "finalised", "finalised"]


def test_the_second_has_until_the_next_day(desk: BankDesk) -> None:
    """The push on its telephone is gone after a quarter of an hour; what it has to sign still waits in the app."""
    made = payment(desk)
    resource = links(made)["self"]["href"]
    desk.decide(desk.begin("pis", made.json["paymentId"]), psu=PETRA)  # type: ignore[index]
    desk.bank.clock.advance(timedelta(hours=20))

    answer = decide_at(desk, invitation(desk, resource), IGOR)

    assert answer.json == {"redirect": None, "scaStatus": "finalised"}
    assert desk.tpp.get(links(made)["status"]["href"]).json["transactionStatus"] == "ACSC"  # type: ignore[index]


def test_both_sign_through_the_tpp(desk: BankDesk) -> None:
    """Embedded, one after the other: the second's own start takes the place of the bank's invitation."""
    desk.bank.services.personalities.choose(TENANT, "embedded")
    flow = Embedding(desk, links(payment(desk))["self"]["href"])
    for psu, status in ((PETRA, "PATC"), (IGOR, "ACSC")):
        assert flow.start(PSU_ID=psu).status_code == 201
        flow.password(psu)
        assert flow.code(psu=psu).json["scaStatus"] == "finalised"  # type: ignore[index]
        assert flow.status() == status

    assert sorted(statuses(desk, flow.resource)) == ["failed", "finalised", "finalised"]


def test_both_may_be_at_it_at_the_same_time(desk: BankDesk) -> None:
    """A start for one PSU does not end the other's."""
    desk.bank.services.personalities.choose(TENANT, "embedded")
    resource = links(payment(desk))["self"]["href"]
    first, second = Embedding(desk, resource), Embedding(desk, resource)
    first.start(PSU_ID=PETRA)
    second.start(PSU_ID=IGOR)

    first.password(PETRA)
    second.password(IGOR)
    assert second.code(psu=IGOR).status_code == first.code(psu=PETRA).status_code == 200

    assert first.status() == "ACSC"


def test_nobody_signs_twice(desk: BankDesk) -> None:
    """Two signatures are two PSUs'."""
    desk.bank.services.personalities.choose(TENANT, "embedded")
    flow = Embedding(desk, links(payment(desk))["self"]["href"])
    flow.start()
    flow.password(PETRA)
    flow.code(psu=PETRA)
    flow.start()

    again = flow.password(PETRA)

    assert refusal(again)[:2] == (409, "STATUS_INVALID")
    assert again.json["reason"] == "authorisation.signed_already"  # type: ignore[index]
    assert flow.status() == "PATC"


def test_nobody_signs_twice_headlessly(desk: BankDesk) -> None:
    """Neither by another visit."""
    paid = payment(desk).json["paymentId"]  # type: ignore[index]
    desk.decide(desk.begin("pis", paid), psu=PETRA)

    again = desk.decide(desk.begin("pis", paid), psu=PETRA)

    assert again.status_code == 409
    assert desk.tpp.get(f"{PAYMENTS}/{paid}/status").json["transactionStatus"] == "PATC"  # type: ignore[index]


def test_two_confirmed_redirects_of_one_psu_are_one_signature(desk: BankDesk) -> None:
    """Both waited for their confirmation: the second is refused, and the money stays."""
    change_standard(desk, confirmation=True)
    paid = payment(desk).json["paymentId"]  # type: ignore[index]
    for _ in range(2):
        assert desk.decide(desk.begin("pis", paid), psu=PETRA).status_code == 200
    ids = desk.tpp.get(f"{PAYMENTS}/{paid}/authorisations").json["authorisationIds"]  # type: ignore[index]

    first, second = (
        desk.tpp.call("PUT", f"{PAYMENTS}/{paid}/authorisations/{each}", {}, X_Sandbox_Scope=f"PIS:{paid}") for each in ids
    )

    assert first.json["scaStatus"] == "finalised"  # type: ignore[index]
    assert second.json["reason"] == "authorisation.signed_already"  # type: ignore[index]
    assert desk.tpp.get(f"{PAYMENTS}/{paid}/status").json["transactionStatus"] == "PATC"  # type: ignore[index]


def test_one_refusal_ends_it_for_all(desk: BankDesk) -> None:
    """The second says no to what the first has signed."""
    made = payment(desk)
    resource = links(made)["self"]["href"]
    desk.decide(desk.begin("pis", made.json["paymentId"]), psu=PETRA)  # type: ignore[index]

    decide_at(desk, invitation(desk, resource), IGOR, "REJECTED")

    assert desk.tpp.get(f"{resource}/status").json["transactionStatus"] == "RJCT"  # type: ignore[index]
    assert sorted(statuses(desk, resource)) == ["failed", "finalised"]


def test_the_invitation_is_its_psus_alone(desk: BankDesk) -> None:
    """Another customer can't take the second signatory's place."""
    made = payment(desk)
    resource = links(made)["self"]["href"]
    desk.decide(desk.begin("pis", made.json["paymentId"]), psu=PETRA)  # type: ignore[index]

    assert decide_at(desk, invitation(desk, resource), PETRA).status_code == 422
    assert decide_at(desk, invitation(desk, resource), ANNA).status_code == 422
    assert desk.tpp.get(f"{resource}/status").json["transactionStatus"] == "PATC"  # type: ignore[index]


@pytest.mark.parametrize("is_offered", [False, True])
def test_a_consent_is_partly_authorised_in_between(desk: BankDesk, *, is_offered: bool) -> None:
    """What the first has chosen is what the second signs."""
    iban = shared_iban(desk)
    body = consent_body() if is_offered else consent_body(access={"balances": [{"iban": iban}]})
    made = desk.tpp.post(CONSENTS, body)
    resource, consent = links(made)["self"]["href"], made.json["consentId"]  # type: ignore[index]
    first = desk.decide(desk.begin("ais", consent), psu=PETRA, accounts=[iban])
    assert first.status_code == 200, first.text

    between = desk.tpp.get(f"{resource}/status").json
    assert refusal(desk.reader(consent).get("/v1/accounts", Consent_ID=consent))[:2] == (401, "CONSENT_INVALID")
    decide_at(desk, invitation(desk, resource), IGOR)

    assert between == {"consentStatus": "partiallyAuthorised"}
    assert desk.tpp.get(f"{resource}/status").json == {"consentStatus": "valid"}
    named = desk.tpp.get(resource).json["access"]["balances"]  # type: ignore[index]
    assert [each["iban"] for each in named] == [iban]


def test_a_bank_without_several_signatures_takes_one(desk: BankDesk) -> None:
    """The personality decides."""
    change_standard(desk, multilevel=False)
    made = payment(desk)

    desk.decide(desk.begin("pis", made.json["paymentId"]), psu=PETRA)  # type: ignore[index]

    assert desk.tpp.get(links(made)["status"]["href"]).json["transactionStatus"] == "ACSC"  # type: ignore[index]
