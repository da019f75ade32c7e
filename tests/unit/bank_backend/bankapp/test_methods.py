"""Setting up an authenticator app in the bank app, taking methods away; a passkey's answer that is none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bank_backend.sca.totp import code_at, secret_of
from tests.support.bank_core import JONAS, TENANT
from tests.unit.bank_backend.bankapp.app import APP, signed_in, words
from tests.unit.bank_backend.pages.walking import heading
from tests.unit.bank_backend.pages.walking import signed_in as visiting

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

    from tests.support.bank_sca import BankDesk

METHODS = f"{APP}/methods"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the sealing key in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


def shown_secret(page: TestResponse) -> bytes:
    found = re.search(r'id="secret">([A-Z2-7 ]+)<', page.text)
    assert found is not None
    return secret_of(found[1].replace(" ", ""))


def kinds(desk: BankDesk) -> list[str]:
    return [each.type.value for each in desk.bank.services.enrolment.enrolled(TENANT, JONAS)]


def test_an_authenticator_app_is_set_up_with_its_first_code(desk: BankDesk) -> None:
    """QR code and secret once, then the code that proves it; from then on it can confirm a payment."""
    app = signed_in(desk, JONAS)
    assert app.post(f"{METHODS}/totp").headers["Location"] == f"{METHODS}/totp"
    page = app.get(f"{METHODS}/totp")
    secret = shown_secret(page)
    assert "<svg" in page.text
    assert "style=" not in page.text
    assert "totp" not in kinds(desk)

    app.post(f"{METHODS}/totp/confirm", code=code_at(secret, desk.bank.clock.now()))

    assert kinds(desk) == ["sms", "push", "email", "totp"]
    assert "Your authenticator app is set up" in words(app.get(METHODS))
    assert app.get(f"{METHODS}/totp").status_code == 409
    browser, visit = visiting(desk, psu=JONAS)
    browser.post(f"{visit}/accounts", account=desk.bank.account(JONAS).id)
    assert "Authenticator app" in browser.get(visit).text


def test_a_wrong_first_code_sets_nothing_up(desk: BankDesk) -> None:
    """The secret stays the same, for the next try."""
    app = signed_in(desk, JONAS)
    app.post(f"{METHODS}/totp")
    secret = shown_secret(app.get(f"{METHODS}/totp"))
    wrong = "000000" if code_at(secret, desk.bank.clock.now()) != "000000" else "111111"

    answer = app.post(f"{METHODS}/totp/confirm", code=wrong)

    assert answer.status_code == 422
    assert "not the code that the authenticator app shows" in words(answer)
    assert shown_secret(answer) == secret
    assert "totp" not in kinds(desk)


def test_the_code_that_sets_up_confirms_nothing(desk: BankDesk) -> None:
    """Its step is used (RFC 6238 §5.2)."""
    app = signed_in(desk, JONAS)
    app.post(f"{METHODS}/totp")
    code = code_at(shown_secret(app.get(f"{METHODS}/totp")), desk.bank.clock.now())
    app.post(f"{METHODS}/totp/confirm", code=code)
    method = desk.bank.services.enrolment.enrolled(TENANT, JONAS)[-1].id
    browser, visit = visiting(desk, psu=JONAS)
    browser.post(f"{visit}/accounts", account=desk.bank.account(JONAS).id)
    browser.post(f"{visit}/send", method=method)

    assert browser.post(f"{visit}/confirm", code=code).status_code == 422


def test_beginning_again_forgets_the_secret_before(desk: BankDesk) -> None:
    """Whoever saw the first picture has nothing."""
    app = signed_in(desk, JONAS)
    app.post(f"{METHODS}/totp")
    first = shown_secret(app.get(f"{METHODS}/totp"))
    app.post(f"{METHODS}/totp")

    assert shown_secret(app.get(f"{METHODS}/totp")) != first
    assert app.post(f"{METHODS}/totp/confirm", code=code_at(first, desk.bank.clock.now())).status_code == 422


def test_a_method_is_taken_away_and_the_last_one_stays(desk: BankDesk) -> None:
    """The page says why."""
    app = signed_in(desk, JONAS)
    *others, last = desk.bank.services.enrolment.enrolled(TENANT, JONAS)
    for each in others:
        app.post(f"{METHODS}/{each.id}/remove")

    answer = app.post(f"{METHODS}/{last.id}/remove")

    assert kinds(desk) == [last.type.value]
    assert answer.status_code == 422
    assert "the last method" in words(answer)


def test_another_psus_method_can_not_be_taken_away(desk: BankDesk) -> None:
    """It is as unknown as none."""
    mine = desk.bank.services.enrolment.enrolled(TENANT, JONAS)

    answer = signed_in(desk).post(f"{METHODS}/{mine[0].id}/remove")

    assert answer.status_code == 422
    assert desk.bank.services.enrolment.enrolled(TENANT, JONAS) == mine


@pytest.mark.parametrize("answer", ["", "nonsense", "[]", "{}", '{"id": "x", "rawId": "y", "response": {}}', "[" * 9000])
def test_a_passkeys_answer_that_is_none_sets_nothing_up(desk: BankDesk, answer: str) -> None:
    """Whatever a browser makes up."""
    app = signed_in(desk, JONAS)
    app.post(f"{METHODS}/passkey")
    assert heading(app.get(f"{METHODS}/passkey")) == "Set up a passkey"

    assert app.post(f"{METHODS}/passkey/confirm", answer=answer, label="Mine").status_code == 422

    assert "passkey" not in kinds(desk)
