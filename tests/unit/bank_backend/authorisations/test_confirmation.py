"""Redirects that the TPP has to confirm: the approval counts only then (BG IG 1.3.8 §7.6)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.bank_core import ANNA, OTHER_TENANT, TENANT
from tests.support.bank_sca import PAYMENTS, Tpp, payment_body, refusal
from tests.unit.bank_backend.authorisations.embedding import change_standard

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk

BACK = "https://localhost:8446/back"


class Redirected:
    """A payment by redirect at a bank that wants it confirmed."""

    def __init__(self, desk: BankDesk) -> None:
        self.desk = desk
        made = desk.tpp.post(PAYMENTS, payment_body(desk.iban()), TPP_Redirect_URI=BACK)
        self.links: dict[str, Any] = made.json["_links"]  # type: ignore[index]
        self.own = self.links["scaStatus"]["href"]

    def approve(self) -> dict[str, list[str]]:
        """Have Anna approve; returns what the browser brings back to the TPP."""
        body = {"tenant": TENANT, "address": f"{self.links['scaRedirect']['href']}?state=s", "psu": ANNA, "result": "APPROVED"}
        answer = self.desk.internal("POST", "/internal/interactions/decisions", body)
        assert answer.status_code == 200, answer.text
        return parse_qs(urlsplit(answer.json["redirect"]).query)  # type: ignore[index]

    @property
    def status(self) -> str:
        return str(self.desk.tpp.get(self.links["status"]["href"]).json["transactionStatus"])  # type: ignore[index]


@pytest.fixture
def redirected(desk: BankDesk) -> Redirected:
    """Choose a bank that redirects and confirms, and initiate a payment there."""
    change_standard(desk, confirmation=True)
    return Redirected(desk)


def test_no_money_moves_before_the_tpp_confirms(desk: BankDesk, redirected: Redirected) -> None:
    """Approved, unconfirmed, and with the code that came back: finalised."""
    assert redirected.links["confirmation"] == {"href": redirected.own}
    brought = redirected.approve()

    between = (redirected.status, desk.tpp.get(redirected.own).json["scaStatus"])  # type: ignore[index]
    confirmed = desk.tpp.call("PUT", redirected.own, {"confirmationCode": brought["confirmationCode"][0]})

    assert brought["state"] == ["s"]
    assert between == ("RCVD", "unconfirmed")
    assert confirmed.status_code == 200
    assert confirmed.json["scaStatus"] == "finalised"  # type: ignore[index]
    assert confirmed.json["_links"]["status"] == redirected.links["status"]  # type: ignore[index]
    assert redirected.status == "ACSC"


def test_a_wrong_code_ends_the_authorisation(desk: BankDesk, redirected: Redirected) -> None:
    """It answers `failed` (BG IG §7.6.4); the right code is worth nothing any more, and nothing was paid."""
    code = redirected.approve()["confirmationCode"][0]

    wrong = desk.tpp.call("PUT", redirected.own, {"confirmationCode": "guessed"})
    late = desk.tpp.call("PUT", redirected.own, {"confirmationCode": code})

    assert (wrong.status_code, wrong.json["scaStatus"]) == (200, "failed")  # type: ignore[index]
    assert refusal(late)[:2] == (400, "SCA_INVALID")
    assert redirected.status == "RCVD"


def test_a_code_confirms_once(desk: BankDesk, redirected: Redirected) -> None:
    """Again it is refused."""
    code = {"confirmationCode": redirected.approve()["confirmationCode"][0]}
    desk.tpp.call("PUT", redirected.own, code)

    assert refusal(desk.tpp.call("PUT", redirected.own, code))[:2] == (409, "STATUS_INVALID")


def test_another_tpp_can_not_confirm(desk: BankDesk, redirected: Redirected) -> None:
    """The code alone is worth nothing: the authorisation is this TPP's."""
    code = {"confirmationCode": redirected.approve()["confirmationCode"][0]}

    answer = Tpp(desk.app.test_client(), tenant=OTHER_TENANT).call("PUT", redirected.own, code)

    assert refusal(answer)[:2] == (403, "RESOURCE_UNKNOWN")
    assert redirected.status == "RCVD"


def test_what_is_not_confirmed_in_time_has_failed(desk: BankDesk, redirected: Redirected) -> None:
    """Ten minutes are more than a redirect takes."""
    code = {"confirmationCode": redirected.approve()["confirmationCode"][0]}
    desk.bank.clock.advance(timedelta(minutes=11))

    assert refusal(desk.tpp.call("PUT", redirected.own, code))[:2] == (400, "SCA_INVALID")
    assert redirected.status == "RCVD"


def test_an_oauth_authorisation_is_confirmed_by_its_token(desk: BankDesk, redirected: Redirected) -> None:
    """An empty body with the access token of exactly this payment."""
    payment = redirected.links["self"]["href"].rpartition("/")[2]
    desk.decide(desk.begin("pis", payment))
    client = {"X-Sandbox-Client": str(TENANT)}
    ids = desk.tpp.get(f"{PAYMENTS}/{payment}/authorisations").json["authorisationIds"]  # type: ignore[index]
    own = f"{PAYMENTS}/{payment}/authorisations/{ids[-1]}"

    wrong = desk.tpp.call("PUT", own, {}, **client, **{"X-Sandbox-Scope": "PIS:another"})
    right = desk.tpp.call("PUT", own, {}, **client, **{"X-Sandbox-Scope": f"PIS:{payment}"})

    assert refusal(wrong)[1] == "TOKEN_INVALID"
    assert right.json["scaStatus"] == "finalised"  # type: ignore[index]
    assert redirected.status == "ACSC"
