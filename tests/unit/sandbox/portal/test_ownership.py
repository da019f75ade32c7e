"""Every address with an id in it, tried by somebody whose it isn't: read off the application, so that a new one is tried."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.portal import PortalUnderTest, without_form_token

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

VICTIM, STRANGER = "victoria@victim.example", "stefan@stranger.example"
SECRET_NAME, NUMBER, STRANGERS_NUMBER = "Very Secret Plans GmbH", "PSDDE-BAFIN-777001", "PSDDE-BAFIN-777002"
UNKNOWN_NUMBER, UNKNOWN_SERIAL = "PSDDE-BAFIN-777003", "7" * 32
SNAPSHOT = "as-delivered"
NOBODYS_REQUEST = "00000000-0000-7000-8000-000000000000"
# Addresses with an id that are no pages of a TPP; why each is open to whoever knows it, or to nobody.
ELSEWHERE = {
    "registration": "the API: a token for each TPP, tried in test_portal.py",
    "pki": "public, without authority",
    "look": "files of the look",
    "static": "files of the portal",
    "invitations": "the secret is the authority, tried in test_accounts.py",
    "operator": "operators only, tried below",
    "requests": "the log, tried below and in test_requests.py",
}


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    """Lend a portal with a victim's TPP and a stranger signed in, who has a TPP as well."""
    portal = PortalUnderTest(tmp_path)
    victim = portal.browser()
    portal.sign_in_as(VICTIM, browser=victim, organisation="Victim AG")
    portal.owned_tpp(browser=victim, name="victim", organisation=SECRET_NAME, authorisation_number=NUMBER)
    portal.sign_in_as(STRANGER, organisation="Stranger AG")
    portal.owned_tpp(name="stranger", organisation="Stranger AG", authorisation_number=STRANGERS_NUMBER)
    return portal


def serial_of(portal: PortalUnderTest, number: str) -> str:
    """Return the serial number of one certificate of this TPP."""
    return portal.world.register.certificates(portal.world.register.require(number))[0].serial


def ids_of_victims(portal: PortalUnderTest) -> dict[str, str]:
    """Return a value for each id that stands below a TPP's number."""
    return {
        "serial": serial_of(portal, NUMBER),
        "account_id": "1",
        "request_id": str(uuid.uuid4()),
        "name": SNAPSHOT,
    }


def ids_in_rules(portal: PortalUnderTest, prefix: str) -> list[tuple[str, str]]:
    """Return (method, rule) of every address below `prefix` that holds an id."""
    rules = [rule for rule in portal.app.url_map.iter_rules() if rule.arguments and rule.rule.startswith(prefix)]
    return sorted((method, rule.rule) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"})


def addressed(rule: str, **values: str) -> str:
    """Fill the ids in."""
    for name, value in values.items():
        rule = rule.replace(f"<{name}>", value)
    assert "<" not in rule, f"no value for an id of {rule}"
    return rule


def answer(portal: PortalUnderTest, method: str, path: str, **options: Any) -> TestResponse:
    """Ask as a browser does: forms with their token."""
    if method == "POST":
        return portal.post(path, {"reason": "superseded", "way": "server"}, **options)
    return portal.call(method, path, **options)


def what_is_learnt(response: TestResponse) -> tuple[int, str, list[tuple[str, str]]]:
    """Return everything that an answer tells."""
    changing = {"Date", "Set-Cookie"}
    headers = [(name, value) for name, value in response.headers if name not in changing]
    return response.status_code, without_form_token(response), headers


def test_a_tpps_pages_do_not_exist_for_a_stranger(portal: PortalUnderTest) -> None:
    """The answer is the one for a number that was never given out, to the letter."""
    rules = ids_in_rules(portal, "/tpps/<number>")
    assert len(rules) > 20, "the pages are there to be tried"
    before = portal.world.register.certificates(portal.world.register.require(NUMBER))
    for method, rule in rules:
        ids = ids_of_victims(portal)
        theirs = answer(portal, method, addressed(rule, number=NUMBER, **ids))
        nobodys = answer(portal, method, addressed(rule, number=UNKNOWN_NUMBER, **ids))
        assert theirs.status_code == 404, f"{method} {rule}"
        assert what_is_learnt(theirs) == what_is_learnt(nobodys), f"{method} {rule}"
        assert SECRET_NAME not in theirs.get_data(as_text=True), f"{method} {rule}"
    tpp = portal.world.register.require(NUMBER)
    assert (portal.world.register.certificates(tpp), tpp.organisation) == (before, SECRET_NAME), "nothing has changed"


def test_a_certificate_of_another_tpp_does_not_exist_under_ones_own(portal: PortalUnderTest) -> None:
    """One's own number opens no other's serial."""
    rules = [(method, rule) for method, rule in ids_in_rules(portal, "/tpps/<number>") if "<serial>" in rule]
    assert len(rules) >= 7
    for method, rule in rules:
        theirs = answer(portal, method, addressed(rule, number=STRANGERS_NUMBER, serial=serial_of(portal, NUMBER)))
        nobodys = answer(portal, method, addressed(rule, number=STRANGERS_NUMBER, serial=UNKNOWN_SERIAL))
        assert theirs.status_code == 404, f"{method} {rule}"
        assert what_is_learnt(theirs) == what_is_learnt(nobodys), f"{method} {rule}"


def test_nobody_signed_in_is_sent_to_sign_in(portal: PortalUnderTest) -> None:
    """Whether the TPP exists or not."""
    nobody = portal.browser()
    for method, rule in ids_in_rules(portal, "/tpps/<number>"):
        ids = ids_of_victims(portal)
        for number in (NUMBER, UNKNOWN_NUMBER):
            response = answer(portal, method, addressed(rule, number=number, **ids), browser=nobody)
            assert response.status_code == 303, f"{method} {rule}"
            assert response.headers["Location"].startswith("/sign-in"), f"{method} {rule}"


def test_the_operators_pages_do_not_exist_for_others(portal: PortalUnderTest) -> None:
    """With an id or without, known or not."""
    plain = [
        (method, rule.rule)
        for rule in portal.app.url_map.iter_rules()
        if rule.rule.startswith("/operator") and not rule.arguments
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    developer = portal.visitor().developer.id
    pages = [*plain, *ids_in_rules(portal, "/operator")]
    assert len(pages) >= 6
    nowhere = what_is_learnt(answer(portal, "GET", "/operator-of-nothing"))
    for method, rule in pages:
        path = addressed(rule, number=NUMBER, developer_id=developer, action="disable")
        assert what_is_learnt(answer(portal, method, path)) == nowhere, f"{method} {rule}"


def test_a_call_of_another_tpp_does_not_exist(portal: PortalUnderTest) -> None:
    """Its id opens it to its own organisation only; see test_requests.py for whom it does open to."""
    theirs = portal.call_log.add(NUMBER)
    found = answer(portal, "GET", f"/requests/{theirs}")
    assert found.status_code == 404
    nobodys = answer(portal, "GET", f"/requests/{NOBODYS_REQUEST}")
    # The page repeats the id that was asked for.
    assert found.get_data(as_text=True).count(theirs) == nobodys.get_data(as_text=True).count(NOBODYS_REQUEST)
    learnt, nothing = what_is_learnt(found)[1].replace(theirs, "ID"), what_is_learnt(nobodys)[1].replace(NOBODYS_REQUEST, "ID")
    assert learnt == nothing


def test_no_address_with_an_id_is_forgotten(portal: PortalUnderTest) -> None:
    """A new page with an id is either a TPP's, tried above, or stands in the list with its reason."""
    for rule in portal.app.url_map.iter_rules():
        if rule.arguments and not rule.rule.startswith("/tpps/<number>"):
            assert rule.endpoint.partition(".")[0] in ELSEWHERE, rule.rule
