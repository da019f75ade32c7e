"""The embedded approach, from the PSU-ID to the code, and every way to get a step wrong (BG IG 1.3.8 §5.1.9, §7.2, §7.3)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bank_core import ANNA, HELGA, JONAS, KARL, OTHER_TENANT
from tests.support.bank_sca import Tpp, refusal
from tests.unit.bank_backend.authorisations.embedding import Embedding, relations

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk


def test_a_payment_is_authorised_step_by_step(desk: BankDesk) -> None:
    """Identified, authenticated, method selected, finalised: and the money has moved."""
    flow = Embedding.of_payment(desk)
    started = flow.start()

    assert started.headers["ASPSP-SCA-Approach"] == "EMBEDDED"
    assert started.json["scaStatus"] == "received"  # type: ignore[index]
    assert relations(started) == {"updatePsuIdentification", "updatePsuAuthentication", "scaStatus"}
    identified = flow.put({}, PSU_ID=ANNA)
    assert (identified.json["scaStatus"], relations(identified)) == ("psuIdentified", {"updatePsuAuthentication", "scaStatus"})  # type: ignore[index]
    authenticated = flow.password()
    assert authenticated.json["scaStatus"] == "psuAuthenticated"  # type: ignore[index]
    assert relations(authenticated) == {"selectAuthenticationMethod", "scaStatus"}
    kinds = {each["authenticationType"] for each in authenticated.json["scaMethods"]}  # type: ignore[index]
    assert kinds == {"SMS_OTP", "SMTP_OTP", "CHIP_OTP"}
    sms = authenticated.json["scaMethods"][0]  # type: ignore[index]
    selected = flow.put({"authenticationMethodId": sms["authenticationMethodId"]})
    assert selected.json["scaStatus"] == "scaMethodSelected"  # type: ignore[index]
    assert selected.json["chosenScaMethod"] == sms  # type: ignore[index]
    assert {"otpMaxLength": 6, "otpFormat": "integer"}.items() <= selected.json["challengeData"].items()  # type: ignore[index]
    assert relations(selected) == {"authoriseTransaction", "scaStatus"}
    finalised = flow.code()
    assert (finalised.status_code, finalised.json["scaStatus"]) == (200, "finalised")  # type: ignore[index]
    assert finalised.json["_links"]["status"] == {"href": f"{flow.resource}/status"}  # type: ignore[index]
    assert flow.status() == "ACSC"


def test_a_consent_is_authorised_by_the_start_with_password(desk: BankDesk) -> None:
    """`startAuthorisationWithPsuAuthentication`: PSU-ID and password come along with the start."""
    flow = Embedding.of_consent(desk)
    started = flow.start({"psuData": {"password": desk.password}}, PSU_ID=ANNA)

    assert started.status_code == 201
    assert started.json["scaStatus"] == "psuAuthenticated"  # type: ignore[index]
    assert relations(started) == {"selectAuthenticationMethod", "scaStatus"}
    flow.put({"authenticationMethodId": started.json["scaMethods"][0]["authenticationMethodId"]})  # type: ignore[index]
    assert flow.code().json["scaStatus"] == "finalised"  # type: ignore[index]
    assert flow.status() == "valid"


def test_a_psu_with_one_method_chooses_nothing(desk: BankDesk) -> None:
    """The only method is selected with the password, and its code is on the way."""
    flow = Embedding.of_payment(desk, debtorAccount={"iban": desk.iban(KARL)})
    flow.start()

    authenticated = flow.password(KARL)

    assert authenticated.json["scaStatus"] == "scaMethodSelected"  # type: ignore[index]
    assert authenticated.json["chosenScaMethod"]["authenticationType"] == "SMS_OTP"  # type: ignore[index]
    assert "scaMethods" not in authenticated.json  # type: ignore[operator]
    assert relations(authenticated) == {"authoriseTransaction", "scaStatus"}
    assert flow.code(psu=KARL).json["scaStatus"] == "finalised"  # type: ignore[index]


def test_another_method_can_be_chosen_until_one_is_passed(desk: BankDesk) -> None:
    """The code of the method chosen before opens nothing any more."""
    flow = Embedding.of_payment(desk)
    flow.start()
    first = flow.method("SMS_OTP")
    earlier = desk.code()
    methods = desk.bank.services.sca
    with desk.bank.database.reading() as connection:
        offered = methods.offered(connection, desk.tpp.tenant, ANNA)
    (mail,) = [each.id for each in offered if each.type.value == "email"]

    again = flow.put({"authenticationMethodId": mail.replace("-", "")})

    assert first.status_code == again.status_code == 200
    assert again.json["chosenScaMethod"]["authenticationType"] == "SMTP_OTP"  # type: ignore[index]
    assert desk.code() != earlier
    assert refusal(flow.code(earlier)) == (401, "PSU_CREDENTIALS_INVALID", "scaAuthenticationData")
    assert flow.code().json["scaStatus"] == "finalised"  # type: ignore[index]


def test_a_wrong_password_can_be_sent_again(desk: BankDesk) -> None:
    """The refusal names the field and leads back to it (BG IG §7.2.2); the authorisation waits."""
    flow = Embedding.of_payment(desk)
    flow.start()

    wrong = flow.password(text="not the one")

    assert refusal(wrong) == (401, "PSU_CREDENTIALS_INVALID", "psuData.password")
    assert "updatePsuAuthentication" in relations(wrong)
    assert flow.sca_status() == "received"
    assert flow.password().json["scaStatus"] == "psuAuthenticated"  # type: ignore[index]


def test_a_psu_is_locked_after_five_wrong_passwords(desk: BankDesk) -> None:
    """Then even the right one is not taken, until the lock ends."""
    flow = Embedding.of_payment(desk)
    flow.start()
    for _ in range(5):
        assert flow.password(text="not the one").status_code == 401

    locked = flow.password()

    assert refusal(locked)[:2] == (401, "PSU_CREDENTIALS_INVALID")
    assert locked.json["reason"] == "psu.locked"  # type: ignore[index]
    desk.bank.clock.advance(timedelta(minutes=16))
    assert flow.password().status_code == 200


def test_the_eighth_wrong_password_ends_the_authorisation(desk: BankDesk) -> None:
    """Locks of several PSUs can't be used to try passwords through one authorisation; the payment stays open."""
    flow = Embedding.of_payment(desk)
    flow.start()
    for psu in (ANNA, JONAS, HELGA, KARL, ANNA, JONAS, HELGA):
        assert refusal(flow.password(psu, "not the one"))[0] == 401

    last = flow.password(KARL, "not the one")

    assert refusal(last)[:2] == (400, "SCA_INVALID")
    assert relations(last) == {"startAuthorisation"}
    assert (flow.sca_status(), flow.status()) == ("failed", "RCVD")
    assert refusal(flow.password())[:2] == (400, "SCA_INVALID")


def test_a_wrong_code_tells_how_many_tries_are_left(desk: BankDesk) -> None:
    """Three wrong codes end the authorisation, and another can be started: the payment waits (BG IG §7.3)."""
    flow = Embedding.of_payment(desk)
    flow.start()
    flow.method()
    wrong = "000000" if desk.code() != "000000" else "111111"

    first, second, third = (flow.code(wrong) for _ in range(3))

    assert refusal(first) == (401, "PSU_CREDENTIALS_INVALID", "scaAuthenticationData")
    assert "2 attempts left" in first.json["tppMessages"][0]["text"]  # type: ignore[index]
    assert relations(first) == {"authoriseTransaction"}
    assert "1 attempt left" in second.json["tppMessages"][0]["text"]  # type: ignore[index]
    assert refusal(third) == (400, "SCA_INVALID", "scaAuthenticationData")
    assert relations(third) == {"startAuthorisation"}
    assert (flow.sca_status(), flow.status()) == ("failed", "RCVD")
    flow.start()
    flow.method()
    assert flow.code().json["scaStatus"] == "finalised"  # type: ignore[index]


def test_a_code_that_comes_too_late_is_asked_for_anew(desk: BankDesk) -> None:
    """Five minutes; then the method is selected again."""
    flow = Embedding.of_payment(desk)
    flow.start()
    chosen = flow.method().json["chosenScaMethod"]["authenticationMethodId"]  # type: ignore[index]
    desk.bank.clock.advance(timedelta(minutes=6))

    late = flow.code()

    assert refusal(late) == (400, "SCA_INVALID", "scaAuthenticationData")
    assert late.json["reason"] == "sca.code_expired"  # type: ignore[index]
    flow.put({"authenticationMethodId": chosen})
    assert flow.code().json["scaStatus"] == "finalised"  # type: ignore[index]


def test_a_code_approves_what_it_was_sent_for_alone(desk: BankDesk) -> None:
    """Dynamic linking: the code of one payment is none for another of the same PSU (RTS 2018/389 Art. 5)."""
    flow = Embedding.of_payment(desk)
    flow.start()
    flow.method()
    code = desk.code()
    other = Embedding.of_payment(desk, instructedAmount={"currency": "EUR", "amount": "999.00"})
    other.start()
    other.method()

    assert refusal(other.code(code)) == (401, "PSU_CREDENTIALS_INVALID", "scaAuthenticationData")
    assert other.status() == "RCVD"


def test_an_unknown_method_is_named(desk: BankDesk) -> None:
    """Another PSU's method is as unknown as none."""
    flow = Embedding.of_payment(desk)
    flow.start()
    flow.password()
    with desk.bank.database.reading() as connection:
        jonas = desk.bank.services.sca.offered(connection, desk.tpp.tenant, JONAS)[0].id

    for method in ("none", jonas.replace("-", "")):
        answer = flow.put({"authenticationMethodId": method})
        assert refusal(answer) == (400, "SCA_METHOD_UNKNOWN", "authenticationMethodId")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"authenticationMethodId": "some"}, "authenticationMethodId"),
        ({"scaAuthenticationData": "123456"}, "scaAuthenticationData"),
        ({"confirmationCode": "some"}, "confirmationCode"),
    ],
)
def test_a_step_out_of_turn_says_what_is_waited_for(desk: BankDesk, body: dict[str, str], path: str) -> None:
    """A method before the password, a code before the method."""
    flow = Embedding.of_payment(desk)
    flow.start()

    assert refusal(flow.put(body)) == (409, "STATUS_INVALID", path)
    assert flow.sca_status() == "received"


def test_nothing_is_taken_for_what_is_finalised(desk: BankDesk) -> None:
    """The same code again is refused, and the payment was made once."""
    flow = Embedding.of_payment(desk)
    before = desk.bank.balances(desk.bank.account(ANNA)).interim_available
    flow.start()
    flow.method()
    code = desk.code()
    assert flow.code(code).status_code == 200

    assert refusal(flow.code(code)) == (409, "STATUS_INVALID", "scaAuthenticationData")
    assert (before - desk.bank.balances(desk.bank.account(ANNA)).interim_available).decimal == "12.50"


def test_a_psu_without_the_account_can_authorise_nothing_on_it(desk: BankDesk) -> None:
    """It has proved who it is, and the account is another's: the authorisation fails, the payment waits for its holder."""
    flow = Embedding.of_payment(desk)
    flow.start()

    answer = flow.password(JONAS)

    assert refusal(answer) == (403, "SERVICE_BLOCKED", "PSU-ID")
    assert (flow.sca_status(), flow.status()) == ("failed", "RCVD")


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ({"psuData": {}}, {"PSU-ID": ANNA}, (400, "FORMAT_ERROR", "psuData.password")),
        ({"psuData": {"encryptedPassword": "x"}}, {"PSU-ID": ANNA}, (400, "FORMAT_ERROR", "psuData.encryptedPassword")),
        ({"psuData": {"password": "x"}}, {}, (400, "FORMAT_ERROR", "PSU-ID")),
        ({"psuData": {"password": ""}}, {"PSU-ID": ANNA}, (400, "FORMAT_ERROR", "psuData.password")),
        ({"password": "x"}, {"PSU-ID": ANNA}, (400, "FORMAT_ERROR", "password")),
        ({"psuData": {"password": "x"}, "scaAuthenticationData": "1"}, {}, (400, "FORMAT_ERROR", "scaAuthenticationData")),
        ({}, {}, (400, "FORMAT_ERROR", "PSU-ID")),
        ({}, {"PSU-ID": "nobody"}, (401, "PSU_CREDENTIALS_INVALID", "PSU-ID")),
        ({}, {"PSU-ID": ANNA, "PSU-Corporate-ID": "x"}, (401, "CORPORATE_ID_INVALID", "PSU-Corporate-ID")),
    ],
)
def test_a_faulty_body_is_named(
    desk: BankDesk, body: dict[str, Any], headers: dict[str, str], expected: tuple[int, str, str]
) -> None:
    """Each says what is wrong, and where."""
    flow = Embedding.of_payment(desk)
    flow.start()

    assert refusal(flow.put(body, **headers)) == expected
    assert flow.sca_status() == "received"


def test_another_tpps_authorisation_is_unknown(desk: BankDesk) -> None:
    """Neither read nor furthered, with whatever is right in it."""
    flow = Embedding.of_payment(desk)
    flow.start()
    other = Tpp(desk.app.test_client(), tenant=OTHER_TENANT)

    assert refusal(other.get(flow.path))[:2] == (403, "RESOURCE_UNKNOWN")
    answer = other.call("PUT", flow.path, {"psuData": {"password": desk.password}}, PSU_ID=ANNA)
    assert refusal(answer)[:2] == (403, "RESOURCE_UNKNOWN")
    assert flow.sca_status() == "received"


def test_psu_data_is_refused_where_the_psu_goes_to_the_bank(desk: BankDesk) -> None:
    """An authorisation by redirect takes no password: SERVICE_INVALID with 400, for it is the payload (BG IG §14.11.1)."""
    flow = Embedding.of_payment(desk)
    desk.bank.services.personalities.choose(desk.tpp.tenant, "standard")
    flow.start()

    assert refusal(flow.password()) == (400, "SERVICE_INVALID", "psuData")


def test_a_small_payment_may_be_exempt(desk: BankDesk) -> None:
    """A bank with an exemption limit asks for no second factor below it (RTS 2018/389 Art. 16)."""
    flow = Embedding.of_payment(desk)
    desk.bank.services.personalities.choose(desk.tpp.tenant, "lenient")
    flow.start(TPP_Redirect_Preferred="false", TPP_Decoupled_Preferred="false")

    answer = flow.password()

    assert (answer.status_code, answer.json["scaStatus"]) == (200, "exempted")  # type: ignore[index]
    assert flow.status() == "ACSC"
