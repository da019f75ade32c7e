"""A TPP's own PSUs' methods as test data, at /sandbox/v1/sca-methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT, TENANT
from tests.support.bank_sca import Tpp

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from werkzeug.test import TestResponse

    from tests.support.bank_sca import BankDesk

PATH = "/sandbox/v1/sca-methods"


def methods(desk: BankDesk, psu: str = ANNA) -> list[dict[str, Any]]:
    return list(desk.tpp.get(f"{PATH}?psu={psu}").json["methods"])  # type: ignore[index]


def reason(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]  # type: ignore[index]


def test_a_personas_methods_are_told_with_the_secret_that_is_test_data(desk: BankDesk) -> None:
    """By our names and the standard's, in the order in which they are offered."""
    told = methods(desk)

    assert [each["type"] for each in told] == ["sms", "push", "email", "totp"]
    assert [each.get("authenticationType") for each in told] == ["SMS_OTP", "PUSH_OTP", "SMTP_OTP", "CHIP_OTP"]
    assert [each["type"] for each in told if "secret" in each] == ["totp"]
    assert [each["type"] for each in methods(desk, JONAS)] == ["sms", "push", "email"]


def test_a_method_can_be_given_and_taken_away(desk: BankDesk) -> None:
    """An authenticator comes with its secret; one telephone is enough."""
    given = desk.tpp.post(PATH, {"psu": JONAS, "type": "totp"})

    assert given.status_code == 201
    assert len(given.json["secret"]) == 32  # type: ignore[index]
    assert methods(desk, JONAS)[-1] == given.json
    assert reason(desk.tpp.post(PATH, {"psu": JONAS, "type": "sms"})) == (409, "sca.enrolment")
    assert reason(desk.tpp.post(PATH, {"psu": JONAS, "type": "passkey"})) == (409, "sca.enrolment")
    method = methods(desk, JONAS)[-1]["id"]
    assert desk.tpp.delete(f"{PATH}/{method}?psu={JONAS}").status_code == 204
    assert [each["type"] for each in methods(desk, JONAS)] == ["sms", "push", "email"]


def test_the_last_method_stays(desk: BankDesk) -> None:
    """Without one nothing could be confirmed any more."""
    *others, last = methods(desk, JONAS)
    for each in others:
        desk.tpp.delete(f"{PATH}/{each['id']}?psu={JONAS}")

    assert reason(desk.tpp.delete(f"{PATH}/{last['id']}?psu={JONAS}")) == (409, "sca.enrolment")
    assert methods(desk, JONAS) == [last]


def test_another_tpps_psus_are_not_there(desk: BankDesk) -> None:
    """The same login at another TPP's bank is another PSU: its methods are neither told nor taken away."""
    other = Tpp(desk.app.test_client(), tenant=OTHER_TENANT)
    mine = methods(desk)
    theirs = other.get(f"{PATH}?psu={ANNA}").json["methods"]  # type: ignore[index]

    assert {each["id"] for each in mine}.isdisjoint(each["id"] for each in theirs)
    assert reason(other.delete(f"{PATH}/{mine[0]['id']}?psu={ANNA}")) == (400, "sca.method_unknown")
    assert methods(desk) == mine


def test_what_is_asked_wrongly_is_named(desk: BankDesk) -> None:
    """No PSU, an unknown one, a method that there is not."""
    assert reason(desk.tpp.get(PATH)) == (400, "request.format")
    assert reason(desk.tpp.get(f"{PATH}?psu=nobody")) == (404, "psu.unknown")
    assert reason(desk.tpp.post(PATH, {"psu": ANNA, "type": "carrier-pigeon"})) == (400, "request.format")


def test_a_secret_that_a_psu_set_up_itself_is_told_to_nobody(
    desk: BankDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what came with the persona, or was asked for here, is test data."""
    services = desk.bank.services
    jonas = services.psus.psu(TENANT, JONAS)
    assert jonas is not None
    monkeypatch.chdir(tmp_path)  # where the sealing key is kept
    services.enrolment.begin_totp(jonas)

    assert [each["type"] for each in methods(desk, JONAS)] == ["sms", "push", "email"]
    assert services.enrolment.totp_secret(jonas)
