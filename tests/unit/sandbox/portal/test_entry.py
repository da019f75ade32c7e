"""Signing up, in and out: what strangers can't learn, can't plant and can't use twice."""

from __future__ import annotations

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from sandbox.database import developers, portal_sessions
from sandbox.developers.model import IDLE_SECONDS, LIFETIME_SECONDS
from sandbox.developers.passwords import PasswordHasher
from sandbox.portal.addresses import own_path
from tests.support.portal import BASE, CHEAP, PASSWORD, CountingGate, PortalUnderTest, without_form_token

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

ANNA = "anna@acme.example"
WRONG = "E-mail address or password is wrong."


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    return PortalUnderTest(tmp_path)


def seconds(count: float) -> dt.timedelta:
    return dt.timedelta(seconds=count)


def shown(answer: TestResponse) -> str:
    """Return a page without what differs from one answer to the next."""
    return without_form_token(answer)


def test_signing_up_and_in_leads_to_the_first_page(portal: PortalUnderTest) -> None:
    visitor = portal.sign_in_as(ANNA)

    assert (visitor.developer.name, visitor.organisation.name) == ("Anna Weber", "Acme GmbH")
    assert not visitor.developer.is_operator
    assert "<h1>TPPs</h1>" in portal.get("/").get_data(as_text=True)


def test_cookies_are_the_portals_own_and_out_of_reach_of_scripts(portal: PortalUnderTest) -> None:
    """RFC 6265bis §4.1.3.2: `__Host-` needs Secure, Path=/ and no Domain."""
    form = portal.get("/sign-in").headers.getlist("Set-Cookie")
    portal.sign_up(ANNA)
    cookies = [*form, *portal.sign_in(ANNA).headers.getlist("Set-Cookie")]

    assert sorted(cookie.partition("=")[0] for cookie in cookies) == ["__Host-portal", "__Host-portal-forms"]
    for cookie in cookies:
        attributes = {part.strip().lower().partition("=")[0] for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "path", "samesite"} <= attributes
        assert "domain" not in attributes
        assert "SameSite=Lax" in cookie


def test_the_database_keeps_neither_password_nor_token(portal: PortalUnderTest) -> None:
    portal.sign_in_as(ANNA)
    cookie = portal.client.get_cookie("__Host-portal")
    assert cookie is not None

    with portal.engine.connect() as connection:
        rows = [str(tuple(row)) for table in (developers, portal_sessions) for row in connection.execute(select(table))]
    assert len(rows) == 2
    assert not any(PASSWORD in row or cookie.value in row for row in rows)


@pytest.mark.parametrize("path", ["/account", "/organisation", "/tpps/PSDDE-BAFIN-1", "/operator"])
def test_pages_of_members_lead_strangers_to_the_sign_in_page(portal: PortalUnderTest, path: str) -> None:
    answer = portal.get(path)

    if answer.status_code != 404:  # of an area that is not built yet
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/sign-in?next={path.replace('/', '%2F')}")


def test_htmx_is_told_to_leave_the_page(portal: PortalUnderTest) -> None:
    """A sign-in page in a corner of another would help nobody."""
    answer = portal.get("/account", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in?next=%2Faccount")


def test_after_signing_in_one_is_where_one_wanted_to_be(portal: PortalUnderTest) -> None:
    portal.sign_up(ANNA)

    assert portal.sign_in(ANNA, form={"next": "/organisation?x=1"}).headers["Location"] == "/organisation?x=1"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/%0d%0aSet-Cookie:x\r\nX: y",
        "javascript:alert(1)",
        "evil.example",
        " //evil.example",
        "/" + "a" * 600,
        "//[",
    ],
)
def test_nobody_is_led_elsewhere_after_signing_in(portal: PortalUnderTest, elsewhere: str) -> None:
    """No open redirect, by form or by address (CWE-601)."""
    portal.sign_up(ANNA)

    assert portal.sign_in(ANNA, form={"next": elsewhere}).headers["Location"] == "/"
    assert portal.get("/sign-in", query_string={"next": elsewhere}).headers["Location"] == "/"
    assert own_path(elsewhere) == "/"


def test_a_taken_address_is_answered_like_a_free_one(portal: PortalUnderTest) -> None:
    """And nothing changes: neither name nor password nor organisation, nor by other capitals."""
    first = portal.sign_up(ANNA)
    second = portal.sign_up("ANNA@acme.EXAMPLE", browser=portal.browser(), password="another password", name="Mallory")

    assert (first.status_code, first.headers["Location"]) == (second.status_code, second.headers["Location"])
    assert [developer.name for developer, _ in portal.developers.all()] == ["Anna Weber"]
    assert portal.sign_in(ANNA, "another password").status_code == 422
    assert portal.sign_in(ANNA).status_code == 303


def test_an_unknown_address_is_answered_like_a_wrong_password(portal: PortalUnderTest) -> None:
    """The same page to the letter, but for the address that was typed."""
    portal.sign_up(ANNA)

    known = shown(portal.sign_in(ANNA, "wrong password here", browser=portal.browser()))
    unknown = shown(portal.sign_in("nobody@acme.example", "wrong password here", browser=portal.browser()))

    assert WRONG in known
    assert known.replace(ANNA, "X") == unknown.replace("nobody@acme.example", "X")


@pytest.mark.parametrize("email", [ANNA, "nobody@acme.example"])
def test_an_unknown_address_costs_as_many_hashes_as_a_known_one(portal: PortalUnderTest, email: str) -> None:
    """A hash takes longer than all the rest together: the clock would tell who has an account."""
    portal.sign_up(ANNA)
    gate = CountingGate()
    portal.developers._hasher = PasswordHasher(cost=CHEAP, gate=gate)

    portal.sign_in(email, "wrong password here")
    assert gate.passed == 1
    portal.sign_up(email)
    assert gate.passed == 2


def test_what_was_typed_is_kept_but_for_the_password(portal: PortalUnderTest) -> None:
    page = portal.sign_in(ANNA, "wrong password here").get_data(as_text=True)

    assert f'value="{ANNA}"' in page
    assert "wrong password here" not in page


def test_a_wrong_sign_up_names_every_field(portal: PortalUnderTest) -> None:
    answer = portal.sign_up("nobody", name=" ", organisation="", password="short")

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "<title>Error: Sign up" in page
    for field in ("name", "organisation", "email", "password"):
        assert f'href="#{field}"' in page
        assert f'id="{field}-fault"' in page
    assert portal.developers.all() == []


@pytest.mark.parametrize("field", ["name", "organisation"])
def test_text_stays_text(portal: PortalUnderTest, field: str) -> None:
    """Whatever a name holds is shown, not run (stored XSS)."""
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}'
    portal.sign_in_as(ANNA, **{field: hostile})

    for path in ("/", "/account", "/organisation"):
        page = portal.get(path).get_data(as_text=True)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in portal.get("/organisation").get_data(as_text=True)


@pytest.mark.parametrize("token", [None, "", "guess", "IjEyMyI.aaaa.bbbb"])
def test_a_form_without_the_browsers_token_is_not_taken(portal: PortalUnderTest, token: str | None) -> None:
    form = {"email": ANNA, "password": PASSWORD, "name": "Anna", "organisation": "Acme", "csrf_token": token}

    answer = portal.call("POST", "/sign-up", data={name: value for name, value in form.items() if value is not None})

    assert answer.status_code == 400
    assert "This form can&#39;t be taken" in answer.get_data(as_text=True)
    assert portal.developers.all() == []


def test_a_form_with_another_browsers_token_is_not_taken(portal: PortalUnderTest) -> None:
    """A token that the attacker was given honestly is of no use in the victim's browser."""
    foreign = portal.csrf_token(browser=portal.browser())
    visitor = portal.sign_in_as(ANNA)

    answer = portal.call("POST", "/account/name", data={"name": "Mallory", "csrf_token": foreign})

    assert answer.status_code == 400
    assert portal.visitor().developer.name == visitor.developer.name


@pytest.mark.parametrize("origin", ["https://localhost:8446", "http://localhost:9000", "https://evil.example", "null"])
def test_a_form_from_another_origin_is_not_taken_whatever_its_token(portal: PortalUnderTest, origin: str) -> None:
    """Other ports of localhost are the same site to cookies: the origin tells them apart."""
    token = portal.csrf_token()
    form = {"email": ANNA, "password": PASSWORD, "csrf_token": token}

    assert portal.call("POST", "/sign-in", data=form, headers={"Origin": origin}).status_code == 400
    assert portal.call("POST", "/sign-in", data=form, headers={"Origin": BASE}).status_code == 422


def test_a_planted_forms_cookie_is_worth_nothing_once_one_is_signed_in(portal: PortalUnderTest) -> None:
    """Somebody who can set cookies plants one of its own, whose token it knows (CSRF token fixation)."""
    mallory = portal.browser()
    known_token = portal.csrf_token(browser=mallory)
    planted = mallory.get_cookie("__Host-portal-forms")
    assert planted is not None
    portal.sign_in_as(ANNA)
    portal.client.set_cookie("__Host-portal-forms", planted.value, secure=True)

    answer = portal.call("POST", "/account/name", data={"name": "Mallory", "csrf_token": known_token})

    assert answer.status_code == 400
    assert portal.visitor().developer.name == "Anna Weber"


def test_session_and_token_change_at_signing_in(portal: PortalUnderTest) -> None:
    """Whoever knew either before knows nothing afterwards (session fixation)."""
    portal.sign_up(ANNA)
    before = portal.csrf_token()
    portal.client.set_cookie("__Host-portal", "planted", secure=True)

    portal.sign_in(ANNA)

    cookie = portal.client.get_cookie("__Host-portal")
    assert cookie is not None
    assert cookie.value != "planted"
    assert portal.call("POST", "/account/name", data={"name": "Mallory", "csrf_token": before}).status_code == 400


def test_signing_in_again_ends_the_session_before(portal: PortalUnderTest) -> None:
    first = portal.sign_in_as(ANNA).session.key
    token = portal.csrf_token()
    portal.call("POST", "/sign-in", data={"email": ANNA, "password": PASSWORD, "csrf_token": token})

    assert [session.key for session in portal.developers.sessions(portal.visitor())] != [first]
    assert len(portal.developers.sessions(portal.visitor())) == 1


def test_an_ended_session_opens_nothing_although_the_cookie_is_kept(portal: PortalUnderTest) -> None:
    portal.sign_in_as(ANNA)
    cookie = portal.client.get_cookie("__Host-portal")
    assert cookie is not None
    portal.post("/sign-out")
    thief = portal.browser()
    thief.set_cookie("__Host-portal", cookie.value, secure=True)

    assert portal.get("/account", browser=thief).status_code == 303


def test_signing_out_takes_the_cookie_away(portal: PortalUnderTest) -> None:
    portal.sign_in_as(ANNA)

    answer = portal.post("/sign-out")

    assert answer.headers["Location"] == "/"
    assert portal.client.get_cookie("__Host-portal") is None


def test_nobody_is_signed_out_by_a_link(portal: PortalUnderTest) -> None:
    portal.sign_in_as(ANNA)

    assert portal.get("/sign-out").status_code == 405
    assert portal.get("/account").status_code == 200


def test_a_session_ends_when_it_is_left_alone(portal: PortalUnderTest) -> None:
    portal.sign_in_as(ANNA)
    portal.world.clock.advance(seconds(IDLE_SECONDS - 1))
    assert portal.get("/account").status_code == 200
    portal.world.clock.advance(seconds(IDLE_SECONDS - 1))
    assert portal.get("/account").status_code == 200

    portal.world.clock.advance(seconds(IDLE_SECONDS))

    assert portal.get("/account").status_code == 303


def test_a_session_ends_after_its_lifetime_however_busy_it_is(portal: PortalUnderTest) -> None:
    portal.sign_in_as(ANNA)
    for _ in range(LIFETIME_SECONDS // 3600 - 1):
        portal.world.clock.advance(seconds(3600))
        assert portal.get("/account").status_code == 200

    portal.world.clock.advance(seconds(3600))

    assert portal.get("/account").status_code == 303


@pytest.mark.parametrize("listener", ["welcome", "front", "edge", None])
def test_the_cookie_counts_on_the_portals_own_listener_only(portal: PortalUnderTest, listener: str | None) -> None:
    """Plain HTTP neither reads nor sets cookies, even when a browser sends them."""
    portal.sign_in_as(ANNA)

    assert portal.get("/account", listener=listener).status_code == 404
    for path in ("/", "/nowhere"):
        welcome = portal.get(path, listener="welcome")
        assert "Sign out" not in welcome.get_data(as_text=True)
        assert "Set-Cookie" not in welcome.headers
    assert portal.get("/sign-in", listener="welcome").status_code == 404


def test_a_notice_waits_for_the_portals_own_page(portal: PortalUnderTest) -> None:
    """Plain HTTP does not read it from the cookie, let alone use it up."""
    portal.sign_up(ANNA)

    assert "Your account is ready" not in portal.get("/", listener="welcome").get_data(as_text=True)
    assert "Your account is ready" in portal.get("/sign-in").get_data(as_text=True)


def test_what_may_be_cached_sets_no_cookie(portal: PortalUnderTest) -> None:
    """And pages are not kept at all."""
    portal.sign_in_as(ANNA)
    stylesheet = re.search(r'href="(/look/look.css[^"]+)"', portal.get("/").get_data(as_text=True))
    assert stylesheet is not None

    kept, changed = portal.get(stylesheet[1]), portal.get("/look/look.css?v=old")

    assert "immutable" in kept.headers["Cache-Control"]
    assert changed.headers["Cache-Control"] == "no-cache"
    assert "Set-Cookie" not in kept.headers
    assert portal.get("/look/charts.py").status_code == 404
    assert portal.get("/account").headers["Cache-Control"] == "no-store"


def test_the_forms_cookie_is_signed_with_a_key_of_this_home(portal: PortalUnderTest, tmp_path: Path) -> None:
    """0600, random, and the same after a restart."""
    key = tmp_path / "var" / "portal.key"

    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_bytes()) == 32
    assert PortalUnderTest(tmp_path).app.secret_key == portal.app.secret_key


def test_many_start_together_with_one_key(tmp_path: Path) -> None:
    """Replicas over one folder must take each other's cookies."""
    from sandbox.portal.sessions import signing_key

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: signing_key(tmp_path / "var" / "portal.key"), range(16)))

    assert len(keys) == 1
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["portal.key"]
