"""One's account and organisation: what members do, and what strangers to them can't."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest

from sandbox.developers.model import INVITATION_SECONDS
from sandbox.developers.organisations import MOST_OPEN_INVITATIONS
from sandbox.developers.passwords import Cost, PasswordHasher
from sandbox.portal.visitor import owned_tpp, require_operator
from tests.support.portal import PASSWORD, OpenGate, PortalUnderTest, without_form_token

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

ANNA, BOB = "anna@acme.example", "bob@globex.example"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    portal = PortalUnderTest(tmp_path)
    add = portal.app.add_url_rule
    add("/probe/operator", "operator-probe", lambda: require_operator().developer.email)
    add("/probe/<path:number>", "probe", lambda number: owned_tpp(portal.services, number).name)
    portal.sign_in_as(ANNA)
    return portal


@pytest.fixture
def bob(portal: PortalUnderTest) -> FlaskClient:
    browser = portal.browser()
    portal.sign_in_as(BOB, browser=browser, name="Bob Stone", organisation="Globex Ltd")
    return browser


def invitation(portal: PortalUnderTest) -> str:
    """Make an invitation and return its path."""
    page = portal.post("/organisation/invitations").get_data(as_text=True)
    link = re.search(r"https://localhost:9000(/invitations/[\w-]+)", page)
    assert link is not None
    return link[1]


def test_a_new_name_is_shown(portal: PortalUnderTest) -> None:
    assert portal.post("/account/name", {"name": "Anna Maria Weber"}).status_code == 303

    assert portal.visitor().developer.name == "Anna Maria Weber"
    assert "Your name is changed." in portal.get("/account").get_data(as_text=True)


def test_a_name_that_can_not_be_stays_in_the_form(portal: PortalUnderTest) -> None:
    answer = portal.post("/account/name", {"name": "A" * 101})

    assert answer.status_code == 422
    assert "A" * 101 in answer.get_data(as_text=True)
    assert portal.visitor().developer.name == "Anna Weber"


def test_a_new_password_ends_all_other_sessions(portal: PortalUnderTest) -> None:
    """Whoever had the old one is out; the browser at hand stays in."""
    phone = portal.browser()
    portal.sign_in(ANNA, browser=phone)

    answer = portal.post("/account/password", {"current": PASSWORD, "password": "another good password"})

    assert answer.status_code == 303
    assert portal.get("/account").status_code == 200
    assert portal.get("/account", browser=phone).status_code == 303
    assert portal.sign_in(ANNA, browser=phone).status_code == 422
    assert portal.sign_in(ANNA, "another good password", browser=phone).status_code == 303


def test_a_password_is_not_changed_without_the_one_before(portal: PortalUnderTest) -> None:
    """An unlocked computer is not enough; and guessing is limited here as well."""
    for _ in range(10):
        answer = portal.post("/account/password", {"current": "guess guess guess", "password": "another good password"})
        assert answer.status_code == 422
        assert "This is not your password." in answer.get_data(as_text=True)

    assert portal.post("/account/password", {"current": PASSWORD, "password": "another good password"}).status_code == 429


def test_a_new_password_is_judged(portal: PortalUnderTest) -> None:
    answer = portal.post("/account/password", {"current": PASSWORD, "password": ANNA.upper()})

    assert answer.status_code == 422
    assert "easy to guess" in answer.get_data(as_text=True)


def test_browsers_are_listed_and_ended_one_by_one(portal: PortalUnderTest) -> None:
    phone = portal.browser()
    portal.sign_in(ANNA, browser=phone, headers={"User-Agent": FIREFOX, "X-Sandbox-Address": "198.51.100.4"})
    page = portal.get("/account").get_data(as_text=True)
    assert "Firefox on Linux" in page
    assert "198.51.100.4" in page

    portal.post("/account/sessions/end", {"session": portal.visitor(browser=phone).session.key})

    assert portal.get("/account", browser=phone).status_code == 303
    assert portal.get("/account").status_code == 200


def test_all_other_browsers_are_ended_at_once(portal: PortalUnderTest) -> None:
    others = [portal.browser() for _ in range(3)]
    for browser in others:
        portal.sign_in(ANNA, browser=browser)

    portal.post("/account/sessions/end-others")

    assert [portal.get("/account", browser=browser).status_code for browser in others] == [303] * 3
    assert "signed out of 3 other browsers" in portal.get("/account").get_data(as_text=True)


def test_nobody_ends_anothers_session(portal: PortalUnderTest, bob: FlaskClient) -> None:
    key = portal.visitor(browser=bob).session.key

    portal.post("/account/sessions/end", {"session": key})

    assert portal.get("/account", browser=bob).status_code == 200


def test_a_hostile_browser_is_named_harmlessly(portal: PortalUnderTest) -> None:
    for name in ("<script>alert(1)</script>", "\x00\x01", "", "A" * 5000):
        portal.sign_in(ANNA, browser=portal.browser(), headers={"User-Agent": name} if name else {})

    page = portal.get("/account").get_data(as_text=True)

    assert "<script>" not in page
    assert "A" * 400 not in page


def test_a_hash_made_at_another_cost_is_made_anew_at_signing_in(portal: PortalUnderTest) -> None:
    """Stronger parameters reach everybody who comes back."""
    dearer = PasswordHasher(cost=Cost(memory_kib=64, passes=1, lanes=1), gate=OpenGate())
    portal.developers._hasher = dearer

    portal.sign_in(ANNA, browser=portal.browser())

    found = portal.developers._store.credentials(ANNA)
    assert found is not None
    assert "$m=64,t=1,p=1$" in found.password_hash
    assert portal.sign_in(ANNA, browser=portal.browser()).status_code == 303


def test_members_of_one_organisation_know_no_other(portal: PortalUnderTest, bob: FlaskClient) -> None:
    page = portal.get("/organisation", browser=bob).get_data(as_text=True)

    assert "Bob Stone" in page
    assert "Anna Weber" not in page


def test_an_organisation_is_renamed(portal: PortalUnderTest) -> None:
    portal.post("/organisation/name", {"organisation": "Acme Payments SE"})

    assert portal.visitor().organisation.name == "Acme Payments SE"
    assert portal.post("/organisation/name", {"organisation": "\u202e"}).status_code == 422


def test_an_invited_stranger_signs_up_and_is_a_colleague(portal: PortalUnderTest) -> None:
    path, carol = invitation(portal), portal.browser()
    page = portal.get(path, browser=carol).get_data(as_text=True)
    assert "Anna Weber invites you" in page

    form = {"name": "Carol King", "email": "carol@acme.example", "password": PASSWORD}
    assert portal.post(path, form, browser=carol).status_code == 303
    portal.sign_in("carol@acme.example", browser=carol)

    assert portal.visitor(browser=carol).organisation == portal.visitor().organisation
    assert portal.get(path, browser=portal.browser()).status_code == 410


def test_an_invited_developer_moves(portal: PortalUnderTest, bob: FlaskClient) -> None:
    path = invitation(portal)
    assert "would leave it" in portal.get(path, browser=bob).get_data(as_text=True)

    portal.post(f"{path}/join", browser=bob)

    assert portal.visitor(browser=bob).organisation == portal.visitor().organisation


def test_an_invitation_leads_through_the_sign_in_page_and_back(portal: PortalUnderTest) -> None:
    path = invitation(portal)

    page = portal.get(path, browser=portal.browser()).get_data(as_text=True)

    assert f'href="/sign-in?next={path}"' in page.replace("%2F", "/")


def test_an_invitation_works_once_and_for_seven_days(portal: PortalUnderTest, bob: FlaskClient) -> None:
    used, expiring = invitation(portal), invitation(portal)
    portal.post(f"{used}/join", browser=bob)
    dora = portal.browser()
    portal.sign_in_as("dora@initech.example", browser=dora)

    assert portal.post(f"{used}/join", browser=dora).status_code == 410
    portal.world.clock.advance(dt.timedelta(seconds=INVITATION_SECONDS))
    portal.sign_in("dora@initech.example", browser=dora)
    assert portal.get(expiring, browser=dora).status_code == 410
    assert portal.post(f"{expiring}/join", browser=dora).status_code == 410


def test_the_link_is_shown_once_and_kept_hashed(portal: PortalUnderTest) -> None:
    secret = invitation(portal).rpartition("/")[2]

    assert secret not in portal.get("/organisation").get_data(as_text=True)
    with portal.engine.connect() as connection:
        assert secret not in str(list(connection.exec_driver_sql("SELECT * FROM invitations")))
    cookie = portal.client.get_cookie("__Host-portal-forms")
    assert cookie is not None
    assert secret not in cookie.value


def test_a_withdrawn_invitation_is_no_use(portal: PortalUnderTest, bob: FlaskClient) -> None:
    """And nobody withdraws another organisation's."""
    path = invitation(portal)
    (open_one, _), *_ = portal.organisations.invitations(portal.visitor())
    portal.post("/organisation/invitations/withdraw", {"invitation": open_one.key}, browser=bob)
    assert portal.get(path).status_code == 200

    portal.post("/organisation/invitations/withdraw", {"invitation": open_one.key})

    assert portal.get(path).status_code == 410


def test_invitations_are_limited(portal: PortalUnderTest) -> None:
    for _ in range(MOST_OPEN_INVITATIONS):
        assert portal.post("/organisation/invitations").status_code == 200

    assert portal.post("/organisation/invitations").status_code == 303
    assert len(portal.organisations.invitations(portal.visitor())) == MOST_OPEN_INVITATIONS


def test_leaving_founds_another_organisation(portal: PortalUnderTest, bob: FlaskClient) -> None:
    """And whoever leaves has no way back in its pocket."""
    portal.post(f"{invitation(portal)}/join", browser=bob)
    pocketed = portal.post("/organisation/invitations", browser=bob).get_data(as_text=True)
    path = re.search(r"(/invitations/[\w-]+)<", pocketed)
    assert path is not None

    portal.post("/organisation/leave", {"new_organisation": "Stone Ltd"}, browser=bob)

    assert portal.visitor(browser=bob).organisation.name == "Stone Ltd"
    assert portal.get(path[1], browser=bob).status_code == 410


def test_one_who_belongs_already_uses_up_nothing(portal: PortalUnderTest) -> None:
    path = invitation(portal)

    portal.post(f"{path}/join")

    assert portal.get(path, browser=portal.browser()).status_code == 200


def test_an_operator_page_does_not_exist_for_others(portal: PortalUnderTest, bob: FlaskClient) -> None:
    portal.make_operator(ANNA)

    missing = portal.get("/no/such/page", browser=bob)
    refused = portal.get("/probe/operator", browser=bob)

    assert portal.get("/probe/operator").get_data(as_text=True) == ANNA
    assert (refused.status_code, page_of(refused)) == (404, page_of(missing))
    portal.developers.set_operator(ANNA, is_operator=False)
    assert portal.get("/probe/operator").status_code == 404


def test_a_tpp_is_seen_by_its_own_organisation_only(portal: PortalUnderTest, bob: FlaskClient) -> None:
    """Another's, nobody's, an unknown and a malformed one look the same; a TPP's name is no address."""
    number = str(portal.owned_tpp().authorisation_number)
    nobodys = portal.registered(name="nobodys", authorisation_number="PSDDE-BAFIN-2")["authorisation_number"]

    assert portal.get(f"/probe/{number}").get_data(as_text=True) == "acme"
    answers = [
        portal.get(f"/probe/{asked}", browser=bob)
        for asked in (number, nobodys, "PSDDE-BAFIN-999", "acme", "x" * 4000, "%00", number.lower())
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({page_of(answer) for answer in answers}) == 1
    assert portal.get("/probe/acme").status_code == 404
    assert portal.get(f"/probe/{number}", browser=portal.browser()).status_code == 303


def page_of(answer: TestResponse) -> str:
    return without_form_token(answer)
