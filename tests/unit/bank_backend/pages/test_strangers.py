"""What keeps strangers from walking along: tokens, cookies, headers, listeners."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bank_backend.interactions.model import INTERACTION_LIFETIME
from bank_backend.pages.sessions import MOST_VISITS
from tests.support.bank_core import ANNA, JONAS, TENANT
from tests.support.bank_sca import RETURN_URL
from tests.unit.bank_backend.pages.walking import at_code, heading, signed_in, status

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


@pytest.mark.parametrize("page", ["login", "accounts", "send", "confirm", "refuse"])
@pytest.mark.parametrize("token", ["", "0" * 64])
def test_a_form_without_the_pages_token_is_refused(desk: BankDesk, page: str, token: str) -> None:
    """CSRF: no token, or one made up, and nothing happens; 403 and a page that says why."""
    browser, visit = signed_in(desk)
    interaction = visit.removeprefix("/psu/")

    answer = browser.post(f"{visit}/{page}", csrf=token, login=ANNA, password=desk.password, account=desk.bank.account(ANNA).id)

    assert answer.status_code == 403
    assert heading(answer) == "This form can't be taken"
    assert status(desk, interaction) == "pending"
    assert desk.bank.services.inbox.messages(TENANT, ANNA) == []


def test_a_token_of_another_visit_is_refused(desk: BankDesk) -> None:
    """Each visit in the same browser has a secret and a token of its own."""
    browser, visit = signed_in(desk)
    token = browser.csrf
    browser.get(f"/psu/{desk.begin('ais', desk.consent())}")
    assert browser.csrf != token

    assert browser.post(f"{visit}/refuse").status_code == 403


def test_two_visits_in_one_browser_do_not_mix(desk: BankDesk) -> None:
    """Anna's payment and Jonas' consent side by side: each page shows its own, each ends as it was decided."""
    payment, consent = desk.payment(), desk.consent()
    first, second = desk.begin("pis", payment), desk.begin("ais", consent)
    browser = desk.browser()
    browser.log_in(first, desk.password)
    browser.log_in(second, desk.password, psu=JONAS)

    assert "signed in as Anna Weber" in browser.get(f"/psu/{first}").text
    browser.post(f"/psu/{first}/send")
    browser.post(f"/psu/{first}/confirm", code=desk.code())
    assert "signed in as Jonas Brandt" in browser.get(f"/psu/{second}").text
    browser.post(f"/psu/{second}/refuse")

    assert (status(desk, first), status(desk, second)) == ("approved", "rejected")


def test_another_browser_can_not_step_into_a_visit(desk: BankDesk) -> None:
    """Whoever learns the address after the login sees nothing, sends nothing, and gets no way back to the TPP."""
    browser, visit = at_code(desk)
    thief = desk.browser()
    thief.csrf = browser.csrf

    looks = [thief.get(visit), thief.get(f"{visit}/accounts"), thief.get(f"/psu/inbox?interaction={visit[5:]}")]
    sends = [thief.post(f"{visit}/{page}", code=desk.code(), login=ANNA) for page in ("send", "confirm", "refuse", "login")]
    browser.post(f"{visit}/confirm", code=desk.code())
    done = thief.get(f"{visit}/done")

    assert [answer.status_code for answer in looks + sends] == [403] * 7
    assert all("Anna Weber" not in answer.text for answer in looks)
    assert RETURN_URL not in done.text
    assert RETURN_URL in browser.get(f"{visit}/done").text


def test_a_second_browser_can_not_sign_in_to_a_visit_that_has_somebody(desk: BankDesk) -> None:
    """It had the sign-in page open, and its own customer's right password: the visit stays the first one's."""
    interaction = desk.begin("ais", desk.consent())
    first, second = desk.browser(), desk.browser()
    second.get(f"/psu/{interaction}")
    first.log_in(interaction, desk.password)

    answer = second.post(f"/psu/{interaction}/login", login=JONAS, password=desk.password)

    assert answer.status_code == 403
    assert "signed in as Anna Weber" in first.get(f"/psu/{interaction}").text


def test_the_cookie_from_before_the_login_is_worth_nothing_after_it(desk: BankDesk) -> None:
    """Session fixation: the login makes a new secret."""
    interaction = desk.begin("ais", desk.consent())
    browser = desk.browser()
    browser.get(f"/psu/{interaction}")
    name = f"__Host-psu-{interaction}"
    before = browser.client.get_cookie(name)
    browser.log_in(interaction, desk.password)
    after = browser.client.get_cookie(name)
    assert before is not None
    assert after is not None
    assert before.value != after.value

    planted = desk.browser()
    planted.client.set_cookie(name, before.value)

    assert planted.get(f"/psu/{interaction}").status_code == 403


@pytest.mark.parametrize("end", ["refused", "expired"])
def test_the_inbox_closes_with_the_visit(desk: BankDesk, end: str) -> None:
    """Codes for later requests are delivered there: who has kept the cookie of an earlier visit must not read them."""
    browser, visit = at_code(desk)
    inbox = f"/psu/inbox?interaction={visit.removeprefix('/psu/')}"
    assert desk.code() in browser.get(inbox).text
    if end == "refused":
        browser.post(f"{visit}/refuse")
    else:
        desk.bank.clock.advance(INTERACTION_LIFETIME)

    answer = browser.get(inbox)

    assert answer.status_code == 409
    assert desk.code() not in answer.text


def test_the_cookie_is_locked_to_this_host_and_hidden_from_scripts(desk: BankDesk) -> None:
    """`__Host-`: Secure, Path=/, no Domain; HttpOnly, SameSite=Lax, as long as the visit."""
    interaction = desk.begin("ais", desk.consent())

    cookie = desk.browser().get(f"/psu/{interaction}").headers["Set-Cookie"]

    assert cookie.startswith(f"__Host-psu-{interaction}=")
    attributes = {part.strip() for part in cookie.split(";")[1:]}
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=960"} <= attributes
    assert not any(part.startswith("Domain") for part in attributes)


def test_a_browser_keeps_the_secrets_of_so_many_visits(desk: BankDesk) -> None:
    """Whoever leads it to more does not fill its header of cookies: the earliest go, the bank app's stays, the last works."""
    browser = desk.browser()
    browser.get(f"/psu/app/at/{TENANT}")
    visits = [desk.begin("ais", desk.consent()) for _ in range(MOST_VISITS + 2)]
    for visit in visits:
        browser.get(f"/psu/{visit}")

    kept = [visit for visit in visits if browser.client.get_cookie(f"__Host-psu-{visit}") is not None]

    assert kept == visits[2:]
    assert browser.client.get_cookie("__Host-psu-app") is not None
    assert browser.log_in(visits[-1], desk.password).status_code == 303


@pytest.mark.parametrize("path", ["", "/done", "/nothing", "/login"])
def test_every_page_carries_the_security_headers(desk: BankDesk, path: str) -> None:
    """Pages, errors and refused methods alike."""
    page = desk.browser().get(f"/psu/{desk.begin('ais', desk.consent())}{path}")

    assert page.headers["Content-Security-Policy"] == POLICY
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.content_type == "text/html; charset=utf-8"


def test_pages_need_no_script_and_no_inline_style(desk: BankDesk) -> None:
    """Which the policy would forbid anyway."""
    browser, visit = at_code(desk)
    for page in (desk.browser().get(f"/psu/{desk.begin('ais', desk.consent())}"), browser.get(visit)):
        assert "<script" not in page.text
        assert not re.search(r"\sstyle=|\son[a-z]+=", page.text)


def test_the_stylesheet_may_be_cached(desk: BankDesk) -> None:
    """It tells nothing about anybody."""
    sheet = desk.browser().get("/psu/static/psu.css")

    assert (sheet.status_code, sheet.headers["Cache-Control"]) == (200, "public, max-age=3600")


def test_names_are_written_as_text(desk: BankDesk) -> None:
    """A payee called like a script runs nowhere."""
    browser, visit = signed_in(desk, "pis", desk.payment(creditorName="<script>alert(1)</script>"))

    page = browser.get(visit).text

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_pages_are_on_the_front_listener_only(desk: BankDesk) -> None:
    """What came in where TPPs call is refused."""
    interaction = desk.begin("ais", desk.consent())

    answer = desk.internal("GET", f"/psu/{interaction}", **{"X-Sandbox-Listener": "edge"})

    assert answer.status_code == 403
