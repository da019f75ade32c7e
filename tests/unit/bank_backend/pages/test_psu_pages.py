"""The PSU's pages, form by form: the walk, every way out, and what keeps strangers from walking along."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bank_core import ANNA, JONAS, TENANT
from tests.support.bank_sca import CONSENTS, FUNDS, PAYMENTS, RETURN_URL, BankDesk, Browser

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
WRONG_CODES = ("000000", "111111")


def status(desk: BankDesk, interaction: str) -> str:
    return str(desk.internal("GET", f"/internal/interactions/{interaction}").json["status"])  # type: ignore[index]


def heading(page: TestResponse) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    assert found is not None, page.text[:2000]
    return " ".join(html.unescape(found[1]).split())


def signed_in(desk: BankDesk, kind: str = "ais", resource: str = "", psu: str = ANNA) -> tuple[Browser, str]:
    """Return a browser that has signed in for a new visit, and the visit's address."""
    interaction = desk.begin(kind, resource or desk.consent())
    browser = desk.browser()
    browser.log_in(interaction, desk.password, psu=psu)
    return browser, f"/psu/{interaction}"


def at_code(desk: BankDesk, **changes: Any) -> tuple[Browser, str]:
    """Return a browser on the code page of a payment."""
    browser, visit = signed_in(desk, "pis", desk.payment(**changes))
    browser.post(f"{visit}/send")
    browser.get(visit)
    return browser, visit


def wrong_code(desk: BankDesk) -> str:
    return next(code for code in WRONG_CODES if code != desk.code())


def test_the_whole_walk_of_a_bank_offered_consent(desk: BankDesk) -> None:
    """Sign in, choose, review, code, done: each form answers 303, and the consent holds what was chosen."""
    consent = desk.consent()
    interaction = desk.begin("ais", consent)
    visit, browser = f"/psu/{interaction}", desk.browser()
    chosen = desk.bank.services.accounts.accounts_of(TENANT, ANNA)[1]

    assert heading(browser.get(visit)) == "Fintech Example asks to see your accounts"
    assert browser.post(f"{visit}/login", login=ANNA, password=desk.password).headers["Location"] == visit
    assert heading(browser.get(visit)) == "Which accounts may Fintech Example see?"
    assert browser.post(f"{visit}/accounts", account=chosen.id).status_code == 303
    review = browser.get(visit)
    assert heading(review) == "May Fintech Example see this?"
    assert chosen.name in review.text
    assert desk.bank.account(ANNA).name not in review.text
    assert browser.post(f"{visit}/send").status_code == 303
    assert heading(browser.get(visit)) == "Confirm with your one-time code"
    done = browser.post(f"{visit}/confirm", code=desk.code())

    assert (done.status_code, done.headers["Location"]) == (303, f"{visit}/done")
    body: Any = desk.tpp.get(f"{CONSENTS}/{consent}").json
    assert body["consentStatus"] == "valid"
    assert body["access"]["balances"] == [{"iban": chosen.iban, "currency": "EUR"}]
    assert status(desk, interaction) == "approved"
    assert not desk.bank.services.visits.interaction(interaction).headless


def test_the_last_page_leads_back(desk: BankDesk) -> None:
    """A refresh and a link to the gateway's address: no redirect, which form-action would forbid (CSP 3 §6.3.2)."""
    browser, visit = at_code(desk)
    browser.post(f"{visit}/confirm", code=desk.code())

    page = browser.get(f"{visit}/done")

    assert page.status_code == 200
    assert f'<meta http-equiv="refresh" content="0;url={RETURN_URL}">' in page.text
    assert f'href="{RETURN_URL}"' in page.text


def test_sca_status_follows_the_walk(desk: BankDesk) -> None:
    """received, psuAuthenticated, started, finalised (BG IG §14.15)."""
    payment = desk.payment()
    (authorisation,) = desk.tpp.get(f"{PAYMENTS}/{payment}/authorisations").json["authorisationIds"]  # type: ignore[index]
    seen = []

    def look() -> None:
        body: Any = desk.tpp.get(f"{PAYMENTS}/{payment}/authorisations/{authorisation}").json
        seen.append(body["scaStatus"])

    look()
    browser, visit = signed_in(desk, "pis", payment)
    look()
    browser.post(f"{visit}/send")
    look()
    browser.post(f"{visit}/confirm", code=desk.code())
    look()

    assert seen == ["received", "psuAuthenticated", "started", "finalised"]


def test_a_payments_review_shows_amount_payee_and_reference(desk: BankDesk) -> None:
    """What the PSU is about to approve, and who asks."""
    browser, visit = signed_in(desk, "pis", desk.payment(instructedAmount={"currency": "EUR", "amount": "1234.50"}))

    page = browser.get(visit).text

    for shown in (
        "1,234.50 EUR",
        "Buchhandlung am Markt",
        "DE02 1001 0010 9307 1186 03",
        "Rechnung 2026-4711",
        "Fintech Example",
        "Fintech App",
        TENANT,
        "Federal Financial Supervisory Authority (DE)",
        "Account information",
    ):
        assert shown in page, shown


def test_a_consents_review_says_how_long_and_how_often(desk: BankDesk) -> None:
    """Validity and frequency in words."""
    browser, visit = signed_in(desk, "ais", desk.consent(access={"balances": [{"iban": desk.iban()}]}))

    page = browser.get(visit).text

    assert "Until 17 May 2027" in page
    assert "up to 4 times a day without you" in page
    assert "Details and balance" in page


def test_a_payment_is_made_with_the_code(desk: BankDesk) -> None:
    """ACSC."""
    payment = desk.payment()
    browser, visit = signed_in(desk, "pis", payment)
    browser.post(f"{visit}/send")

    browser.post(f"{visit}/confirm", code=f" {desk.code()[:3]} {desk.code()[3:]} ")

    assert desk.tpp.get(f"{PAYMENTS}/{payment}/status").json == {"transactionStatus": "ACSC"}


def test_a_payment_that_is_not_covered_is_warned_of_and_then_explained(desk: BankDesk) -> None:
    """The review warns; after approval the last page says what happened and waits to be read."""
    browser, visit = signed_in(desk, "pis", desk.payment(instructedAmount={"currency": "EUR", "amount": "99999999"}))
    assert "does not cover this amount" in browser.get(visit).text
    browser.post(f"{visit}/send")

    browser.post(f"{visit}/confirm", code=desk.code())

    page = browser.get(f"{visit}/done")
    assert heading(page) == "Your payment was rejected"
    assert 'http-equiv="refresh"' not in page.text
    assert f'href="{RETURN_URL}"' in page.text


def test_a_funds_consent_is_approved(desk: BankDesk) -> None:
    """The third kind of request takes the same walk."""
    consent = desk.funds_consent(cardNumber="5409050000001234")
    browser, visit = signed_in(desk, "piis", consent)
    page = browser.get(visit).text
    assert "5409050000001234" not in page
    browser.post(f"{visit}/send")

    browser.post(f"{visit}/confirm", code=desk.code())

    assert desk.tpp.get(f"{FUNDS}/{consent}/status").json == {"consentStatus": "valid"}


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_refusing_is_possible_at_every_step(desk: BankDesk, steps: int) -> None:
    """Before the login, at the accounts, at the review, at the code: rejected, and back."""
    consent = desk.consent()
    interaction = desk.begin("ais", consent)
    visit, browser = f"/psu/{interaction}", desk.browser()
    walk = [
        lambda: browser.log_in(interaction, desk.password),
        lambda: browser.post(f"{visit}/accounts", account=desk.bank.account(ANNA).id),
        lambda: browser.post(f"{visit}/send"),
    ]
    browser.get(visit)
    for step in walk[:steps]:
        step()
    page = browser.get(visit)
    assert f'formaction="{visit}/refuse"' in page.text

    answer = browser.post(f"{visit}/refuse")

    assert answer.headers["Location"] == f"{visit}/done"
    assert status(desk, interaction) == "rejected"
    assert desk.tpp.get(f"{CONSENTS}/{consent}/status").json == {"consentStatus": "rejected"}
    assert f'href="{RETURN_URL}"' in browser.get(f"{visit}/done").text


def test_wrong_password_is_said_on_the_page(desk: BankDesk) -> None:
    """422 with an error summary that leads to the field; the user name stays typed."""
    interaction = desk.begin("ais", desk.consent())
    browser = desk.browser()
    browser.get(f"/psu/{interaction}")

    page = browser.post(f"/psu/{interaction}/login", login=ANNA, password="wrong")

    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert '<a href="#login">User name or password is wrong' in page.text
    assert f'value="{ANNA}"' in page.text
    assert "<title>Error: Sign in" in page.text


def test_five_wrong_passwords_lock_the_psu(desk: BankDesk) -> None:
    """And the page says until when."""
    interaction = desk.begin("ais", desk.consent())
    browser = desk.browser()
    browser.get(f"/psu/{interaction}")
    for _ in range(5):
        browser.post(f"/psu/{interaction}/login", login=ANNA, password="wrong")

    page = browser.post(f"/psu/{interaction}/login", login=ANNA, password=desk.password)

    assert "Locked after 5 wrong passwords in a row: try again after 10:41 UTC" in page.text


def test_eight_failed_logins_close_the_visit(desk: BankDesk) -> None:
    """Whatever the user names: passwords are not tried out through one link for ever."""
    consent = desk.consent()
    interaction = desk.begin("ais", consent)
    browser = desk.browser()
    browser.get(f"/psu/{interaction}")

    answers = [
        browser.post(f"/psu/{interaction}/login", login=f"somebody.{each}", password="wrong").status_code for each in range(8)
    ]

    assert answers == [422] * 7 + [303]
    assert status(desk, interaction) == "failed"
    assert heading(browser.get(f"/psu/{interaction}/done")) == "This request is closed"


def test_wrong_codes_are_counted_down_and_then_it_is_over(desk: BankDesk) -> None:
    """Two attempts left, one, none: failed, and nothing is paid, not even with the right code."""
    browser, visit = at_code(desk)
    right, wrong = desk.code(), wrong_code(desk)
    before = desk.bank.balances(desk.bank.account(ANNA))

    first, second = (browser.post(f"{visit}/confirm", code=wrong) for _ in range(2))
    third = browser.post(f"{visit}/confirm", code=wrong)
    browser.post(f"{visit}/confirm", code=right)

    assert [first.status_code, second.status_code, third.status_code] == [422, 422, 303]
    assert "2 attempts left" in first.text
    assert "1 attempt left" in second.text
    assert status(desk, visit.removeprefix("/psu/")) == "failed"
    assert "too many wrong attempts" in browser.get(f"{visit}/done").text
    assert desk.bank.balances(desk.bank.account(ANNA)) == before


def test_what_can_not_be_a_code_costs_no_attempt(desk: BankDesk) -> None:
    """Five digits are a slip of the finger."""
    browser, visit = at_code(desk)

    pages = [browser.post(f"{visit}/confirm", code="12345").text for _ in range(4)]

    assert all("Enter the 6 digits of the code." in page for page in pages)
    assert browser.post(f"{visit}/confirm", code=desk.code()).headers["Location"] == f"{visit}/done"


def test_an_expired_code_is_said_and_a_new_one_works(desk: BankDesk) -> None:
    """Five minutes later."""
    browser, visit = at_code(desk)
    desk.bank.clock.advance(timedelta(minutes=5))

    page = browser.post(f"{visit}/confirm", code=desk.code())
    browser.post(f"{visit}/send")

    assert "has expired: ask for a new one" in page.text
    assert browser.post(f"{visit}/confirm", code=desk.code()).headers["Location"] == f"{visit}/done"


def test_an_expired_visit_says_so(desk: BankDesk) -> None:
    """Whatever is sent after fifteen minutes leads to the page that explains it."""
    browser, visit = at_code(desk)
    desk.bank.clock.advance(timedelta(minutes=15))

    answer = browser.post(f"{visit}/confirm", code=desk.code())

    assert answer.headers["Location"] == f"{visit}/done"
    assert heading(browser.get(f"{visit}/done")) == "This request has expired"


def test_an_account_of_somebody_else_can_not_be_approved(desk: BankDesk) -> None:
    """Jonas signs in for a payment from Anna's account: told so, no button, and no code by hand either."""
    browser, visit = signed_in(desk, "pis", desk.payment(), psu=JONAS)

    page = browser.get(visit)

    assert "Jonas Brandt does not hold" in page.text
    assert "send me a code" not in page.text
    assert browser.post(f"{visit}/send").status_code == 422
    assert desk.bank.services.inbox.messages(TENANT, JONAS) == []


def test_only_offered_accounts_can_be_chosen(desk: BankDesk) -> None:
    """Another customer's account id, put into the form by hand, is not taken; nor is no choice."""
    browser, visit = signed_in(desk)

    answers = [browser.post(f"{visit}/accounts", account=each) for each in (desk.bank.account(JONAS).id, [])]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert "Choose at least one account" in answers[1].text


def test_the_choice_can_be_changed_until_it_is_confirmed(desk: BankDesk) -> None:
    """Changed after the code was sent, the code is worth nothing: it was for another choice (RTS Art. 5)."""
    first, second = desk.bank.services.accounts.accounts_of(TENANT, ANNA)
    consent = desk.consent()
    browser, visit = signed_in(desk, "ais", consent)
    browser.post(f"{visit}/accounts", account=first.id)
    browser.post(f"{visit}/send")
    old = desk.code()
    browser.get(f"{visit}/accounts")
    browser.post(f"{visit}/accounts", account=[first.id, second.id])

    by_hand = browser.post(f"{visit}/confirm", code=old)
    browser.post(f"{visit}/send")
    with_old = browser.post(f"{visit}/confirm", code=old)

    assert by_hand.status_code == 409
    assert with_old.status_code == 422 or old == desk.code()
    assert desk.tpp.get(f"{CONSENTS}/{consent}/status").json == {"consentStatus": "received"}


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


def test_the_cookie_is_locked_to_this_host_and_hidden_from_scripts(desk: BankDesk) -> None:
    """`__Host-`: Secure, Path=/, no Domain; HttpOnly, SameSite=Lax, as long as the visit."""
    interaction = desk.begin("ais", desk.consent())

    cookie = desk.browser().get(f"/psu/{interaction}").headers["Set-Cookie"]

    assert cookie.startswith(f"__Host-psu-{interaction}=")
    attributes = {part.strip() for part in cookie.split(";")[1:]}
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=960"} <= attributes
    assert not any(part.startswith("Domain") for part in attributes)


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


def test_the_login_page_lists_personas_and_marks_the_holder(desk: BankDesk) -> None:
    """The sandbox's hint: who can sign in, with which password, and who holds the account that is asked for."""
    page = desk.browser().get(f"/psu/{desk.begin('pis', desk.payment())}?login={ANNA}").text

    assert desk.password in page
    marked = re.findall(r"\?login=([\w.]+)\">[^<]*</a>\s*<span class=\"tag\">", page)
    assert marked == [ANNA]
    assert f'value="{ANNA}"' in page


def test_the_inbox_is_the_signed_in_psus(desk: BankDesk) -> None:
    """With the code and what it is for."""
    browser, visit = at_code(desk)

    page = browser.get(f"/psu/inbox?interaction={visit.removeprefix('/psu/')}")

    assert heading(page) == "Anna Weber's inbox"
    assert f"your code is {desk.code()}" in page.text
    assert "12.50 EUR to Buchhandlung am Markt" in page.text


def test_names_are_written_as_text(desk: BankDesk) -> None:
    """A payee called like a script runs nowhere."""
    browser, visit = signed_in(desk, "pis", desk.payment(creditorName="<script>alert(1)</script>"))

    page = browser.get(visit).text

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_request_that_the_tpp_withdrew_says_so(desk: BankDesk) -> None:
    """Deleted while the PSU reads: a page that explains it, and refusing still leads back."""
    consent = desk.consent()
    browser, visit = signed_in(desk, "ais", consent)
    desk.tpp.delete(f"{CONSENTS}/{consent}")

    page = browser.get(visit)

    assert page.status_code == 409
    assert "there is nothing to decide any more" in page.text
    browser.post(f"{visit}/refuse")
    assert f'href="{RETURN_URL}"' in browser.get(f"{visit}/done").text


def test_an_unknown_visit_is_a_page(desk: BankDesk) -> None:
    """404 for people."""
    page = desk.browser().get("/psu/11111111-2222-4333-8444-555555555555")

    assert (page.status_code, heading(page)) == (404, "The request is unknown")


def test_the_pages_are_on_the_front_listener_only(desk: BankDesk) -> None:
    """What came in where TPPs call is refused."""
    interaction = desk.begin("ais", desk.consent())

    answer = desk.internal("GET", f"/psu/{interaction}", **{"X-Sandbox-Listener": "edge"})

    assert answer.status_code == 403
