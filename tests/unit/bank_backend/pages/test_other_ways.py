"""Confirming a visit by another method than the first: authenticator, e-mail, bank app, and changing one's mind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bank_backend.sca.totp import code_at, secret_of
from tests.support.bank_core import ANNA, TENANT
from tests.support.bank_sca import PAYMENTS
from tests.unit.bank_backend.pages.walking import heading, signed_in, status

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk


def method_of(desk: BankDesk, kind: str) -> str:
    services = desk.bank.services
    with services.database.reading() as connection:
        return next(each.id for each in services.sca.offered(connection, TENANT, ANNA) if each.type == kind)


def published_code(desk: BankDesk) -> str:
    """Return what the authenticator that came with Anna shows, by the secret that the test data tells."""
    told = desk.tpp.get(f"/sandbox/v1/sca-methods?psu={ANNA}").json
    secret = next(each["secret"] for each in told["methods"] if each["type"] == "totp")  # type: ignore[index]
    return code_at(secret_of(secret), desk.bank.clock.now())


def test_the_review_offers_every_method(desk: BankDesk) -> None:
    """The first as the way on, the others beside it, masked."""
    browser, visit = signed_in(desk, "pis", desk.payment())

    page = browser.get(visit).text

    assert "Continue: send me a code" in page
    for name in ("Authenticator app", "Bank app", "E-mail to a•••@"):
        assert name in page, name
    assert "Text message to" not in page


def test_an_authenticators_code_pays(desk: BankDesk) -> None:
    """With the secret that is test data, automation can compute it."""
    payment = desk.payment()
    browser, visit = signed_in(desk, "pis", payment)
    browser.post(f"{visit}/send", method=method_of(desk, "totp"))
    assert "Enter the code that your authenticator app shows" in browser.get(visit).text

    browser.post(f"{visit}/confirm", code=published_code(desk))

    assert desk.tpp.get(f"{PAYMENTS}/{payment}/status").json == {"transactionStatus": "ACSC"}


def test_an_email_brings_the_code(desk: BankDesk) -> None:
    """The inbox tells the channel."""
    browser, visit = signed_in(desk, "pis", desk.payment())

    browser.post(f"{visit}/send", method=method_of(desk, "email"))

    assert "sent to a•••@" in browser.get(visit).text
    assert desk.bank.services.inbox.messages(TENANT, ANNA)[0].channel == "email"
    assert browser.post(f"{visit}/confirm", code=desk.code()).headers["Location"] == f"{visit}/done"


def test_the_page_waits_for_the_bank_app(desk: BankDesk) -> None:
    """It shows the number, runs our own scripts only, and is told nothing new while nobody has answered."""
    browser, visit = signed_in(desk, "pis", desk.payment())
    browser.post(f"{visit}/send", method=method_of(desk, "push"))

    page = browser.get(visit)

    assert heading(page) == "Confirm in your bank app"
    assert re.search(r'class="number"[^>]*>\d\d<', page.text)
    assert f"/psu/app/at/{TENANT}?login={ANNA}" in page.text
    assert "script-src 'self'; connect-src 'self'" in page.headers["Content-Security-Policy"]
    assert "'unsafe" not in page.headers["Content-Security-Policy"]
    assert browser.get(f"{visit}/waiting").status_code == 204


def test_the_shared_script_is_served_under_the_banks_own_path(desk: BankDesk) -> None:
    """To be kept for ever under the address that names its content; nothing else of that folder is served."""
    browser, visit = signed_in(desk, "pis", desk.payment())
    browser.post(f"{visit}/send", method=method_of(desk, "push"))
    address = re.search(r'src="(/psu/look/htmx[^"]+)"', browser.get(visit).text)
    assert address is not None

    script = browser.get(address[1])

    assert (script.status_code, script.mimetype) == (200, "text/javascript")
    assert "immutable" in script.headers["Cache-Control"]
    assert browser.get("/psu/look/README.md").status_code == 404


def test_a_push_that_nobody_answered_can_be_asked_again(desk: BankDesk) -> None:
    """The page says that it no longer waits."""
    browser, visit = signed_in(desk, "pis", desk.payment())
    browser.post(f"{visit}/send", method=method_of(desk, "push"))
    with desk.bank.database.writing() as connection:
        authorisation = desk.bank.services.visits.interaction(visit.removeprefix("/psu/")).authorisation
        push = desk.bank.services.sca.standing(connection, authorisation)
        assert push is not None
        desk.bank.services.sca.reject_push(connection, push.id, tenant=TENANT, psu=ANNA)

    assert heading(browser.get(visit)) == "This no longer waits in your bank app"
    assert browser.get(f"{visit}/waiting").headers["Location"] == visit
    browser.post(f"{visit}/send", method=method_of(desk, "push"))
    assert heading(browser.get(visit)) == "Confirm in your bank app"


def test_a_code_does_not_answer_a_push(desk: BankDesk) -> None:
    """Whoever posts one learns what to do instead; nothing is approved."""
    browser, visit = signed_in(desk, "pis", desk.payment())
    browser.post(f"{visit}/send", method=method_of(desk, "push"))

    answer = browser.post(f"{visit}/confirm", code="123456")

    assert answer.status_code == 422
    assert "Open your bank app" in answer.text
    assert status(desk, visit.removeprefix("/psu/")) == "pending"


@pytest.mark.parametrize("method", ["", "no-such-method", "x" * 500])
def test_a_method_that_is_none_of_the_psus_is_refused(desk: BankDesk, method: str) -> None:
    """On the review, in words; an empty choice is the first method."""
    browser, visit = signed_in(desk, "pis", desk.payment())

    answer = browser.post(f"{visit}/send", method=method)

    assert answer.status_code == (422 if method else 303)


def test_only_what_the_personality_takes_is_offered(desk: BankDesk) -> None:
    """A bank that knows text messages and its app shows no other way."""
    payment = desk.payment()
    desk.bank.services.personalities.choose(TENANT, "redirect-only")
    browser, visit = signed_in(desk, "pis", payment)

    page = browser.get(visit).text

    assert [name in page for name in ("Bank app", "Authenticator app", "E-mail to")] == [True, False, False]
