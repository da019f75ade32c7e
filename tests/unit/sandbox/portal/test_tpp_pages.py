"""Registering and keeping a TPP by the portal's pages: faults at their fields, nobody else's TPP, nothing told of it."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from psd2.ncas import NCAS
from sandbox.tpps.countries import EEA, authorities_of
from sandbox.tpps.model import TppStatus
from tests.support.portal import ADDRESS, PortalUnderTest, without_form_token
from tests.support.register import NUMBER

if TYPE_CHECKING:
    from pathlib import Path

FORM: dict[str, Any] = {
    "organisation": "Acme Payments GmbH",
    "name": "acme",
    "country": "DE",
    "nca": "DE-BAFIN",
    "identifier": "100001",
    "roles": ["PSP_AI", "PSP_PI"],
    "redirect_uris": "https://acme.example/callback\r\n\r\nhttp://127.0.0.1:8080/cb",
    "profile": "berlin",
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "seed": "7",
}
SCRIPT = "<script>alert('x')</script>"


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    portal = PortalUnderTest(tmp_path)
    portal.sign_in_as("anna@acme.example")
    return portal


def faults(page: str) -> dict[str, str]:
    """Return what stands at which field."""
    return {name: unescape(text) for name, text in re.findall(r'class="field-fault" id="(.+?)-fault">(.*?)</p>', page)}


def text_of(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def test_the_list_of_authorities_is_that_of_the_eea() -> None:
    """Each of its thirty countries has one; the others of TS 119 495 are no place to be authorised in any more."""
    assert len(EEA) == 30
    assert [country for country in EEA if not authorities_of(country)] == []
    assert {nca.country for nca in NCAS.values()} - set(EEA) == {"GB"}


def test_a_registration_leads_to_the_tpp(portal: PortalUnderTest) -> None:
    """It is the organisation's, as it was typed."""
    answer = portal.post("/tpps/new", FORM)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/tpps/{NUMBER}")
    tpp = portal.world.register.require(NUMBER)
    assert tpp.organisation_id == portal.visitor().organisation.id
    assert tpp.redirect_uris == ("https://acme.example/callback", "http://127.0.0.1:8080/cb")
    assert (tpp.seed, tpp.status) == (7, TppStatus.ACTIVE)
    assert "Get a QWAC" in text_of(portal.get(f"/tpps/{NUMBER}"))


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"identifier": NUMBER}, NUMBER),
        ({"identifier": " 100001 "}, NUMBER),
        ({"country": "NO", "nca": ""}, "PSDNO-FSA-100001"),
    ],
)
def test_the_number_may_be_typed_in_part_or_whole(portal: PortalUnderTest, changes: dict[str, str], number: str) -> None:
    """A country with one authority needs no choice of it."""
    assert portal.post("/tpps/new", {**FORM, **changes}).headers["Location"] == f"/tpps/{number}"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("organisation", "", "printable characters"),
        ("organisation", "a" * 65, "1 to 64"),
        ("organisation", "Ac\x00me", "printable"),
        ("name", "Acme", "small letters"),
        ("name", "../acme", "small letters"),
        ("country", "", "Choose the country"),
        ("country", "GB", "Choose the country"),
        ("nca", "GB-FCA", "Choose the authority"),
        ("nca", "FR-ACPR", "no authority of Germany, which has DE-BAFIN"),
        ("identifier", "", "Write the authorisation number"),
        ("identifier", "12 3", "1 to 40 letters"),
        ("identifier", "12/3", "slash"),
        ("identifier", "UNREGISTERED", "another identifier"),
        ("identifier", "PSDFR-ACPR-1", "begins with PSDDE-BAFIN-"),
        ("roles", [], "at least one role"),
        ("roles", ["PSP_AS"], "at least one role"),
        ("redirect_uris", "", "at least one redirect URI"),
        ("redirect_uris", "https://a.example/1\nhttps://a.example/2#x", "Line 2: a redirect URI has no fragment"),
        ("redirect_uris", "http://a.example/", "Line 1: use https"),
        ("redirect_uris", "javascript:alert(1)", "Line 1: write an absolute URI"),
        ("redirect_uris", "https://u:p@a.example/", "without user name"),
        ("redirect_uris", "https://*.example/", "without wildcard"),
        ("redirect_uris", "\n".join(f"https://a.example/{n}" for n in range(11)), "at most 10"),
        ("profile", "none", "berlin"),
        ("seed", "seven", "whole number"),
        ("seed", "-1", "whole number"),
        ("seed", "99999999999", "whole number"),
        ("seed", "9" * 5_000, "whole number"),
    ],
)
def test_one_fault_stands_at_its_field(portal: PortalUnderTest, field: str, value: Any, said: str) -> None:
    """And nowhere else; nothing is registered, what was typed is kept, the title says that something is wrong."""
    answer = portal.post("/tpps/new", {**FORM, field: value})

    page = text_of(answer)
    assert answer.status_code == 422
    found = faults(page)
    assert list(found) == [field]
    assert said in found[field]
    assert page.count("<title>Error: ") == 1
    assert 'value="7"' in page or field == "seed"
    assert portal.world.calls == []


def test_every_fault_is_said_at_once(portal: PortalUnderTest) -> None:
    """An empty form; profile and authentication have a default."""
    found = faults(text_of(portal.post("/tpps/new", {})))

    assert set(found) == {"organisation", "name", "country", "nca", "identifier", "roles", "redirect_uris", "grant_types"}


def test_too_many_registrations_from_one_address(portal: PortalUnderTest) -> None:
    """As many accounts as one likes would make no difference; what was typed is kept."""
    for _ in range(portal.settings.registrations_per_hour):
        portal.services.registrations.spend(ADDRESS)

    answer = portal.post("/tpps/new", FORM)

    assert answer.status_code == 429
    assert "Try again in 60 minutes" in faults(text_of(answer))["identifier"]
    assert portal.world.calls == []


def test_what_is_taken_is_said_at_its_field_and_not_by_whom(portal: PortalUnderTest) -> None:
    """Registered, left, or begun by another organisation: the same words."""
    other = portal.browser()
    portal.sign_in_as("bob@globex.example", browser=other, organisation="Globex Secret")
    portal.post("/tpps/new", {**FORM, "organisation": "Globex Secret"}, browser=other)

    registered = portal.post("/tpps/new", {**FORM, "name": "mine"})
    portal.post(f"/tpps/{NUMBER}/leave", browser=other)
    left = portal.post("/tpps/new", {**FORM, "name": "mine"})

    assert registered.status_code == left.status_code == 409
    assert faults(text_of(registered)) == faults(text_of(left)) == {"identifier": f"{NUMBER} is registered already."}
    assert "Globex" not in text_of(registered) + text_of(left)


def test_a_service_out_of_reach_is_named_and_the_same_form_continues(portal: PortalUnderTest) -> None:
    """With the steps that are done; meanwhile the TPP's own page says how to go on."""
    portal.world.gateway.is_down = True

    broken = portal.post("/tpps/new", FORM)

    assert broken.status_code == 503
    page = re.sub(r"\s+", " ", text_of(broken))
    assert "the admin service can't be reached" in page
    assert "bank tenant: done" in page
    assert "TPP at the gateway: <strong>stopped here</strong>" in page
    assert 'value="100001"' in page
    assert "has not been finished" in text_of(portal.get(f"/tpps/{NUMBER}"))
    assert portal.post(f"/tpps/{NUMBER}/continue").status_code == 503
    portal.world.gateway.is_down = False
    assert portal.post("/tpps/new", FORM).status_code == 303
    assert portal.world.register.require(NUMBER).status is TppStatus.ACTIVE


def test_a_broken_registration_is_continued_from_its_page(portal: PortalUnderTest) -> None:
    portal.world.bank.is_down = True
    portal.post("/tpps/new", FORM)
    portal.world.bank.is_down = False

    assert portal.post(f"/tpps/{NUMBER}/continue").status_code == 303

    assert portal.world.register.require(NUMBER).status is TppStatus.ACTIVE


def test_a_change_is_told_to_the_gateway(portal: PortalUnderTest) -> None:
    portal.post("/tpps/new", FORM)
    portal.world.calls.clear()

    answer = portal.post(f"/tpps/{NUMBER}/change", {"organisation": "Acme SE", "redirect_uris": "https://acme.test/cb"})

    assert answer.status_code == 303
    assert f"client {NUMBER}" in portal.world.calls
    assert portal.world.register.require(NUMBER).redirect_uris == ("https://acme.test/cb",)


def test_a_change_that_is_wrong_or_broken_off_changes_nothing(portal: PortalUnderTest) -> None:
    """What was typed is kept in both."""
    portal.post("/tpps/new", FORM)
    wrong = portal.post(f"/tpps/{NUMBER}/change", {"organisation": "Acme SE", "redirect_uris": "ftp://acme.test"})
    portal.world.gateway.is_down = True
    broken = portal.post(f"/tpps/{NUMBER}/change", {"organisation": "Acme SE", "redirect_uris": "https://acme.test/cb"})

    assert (wrong.status_code, broken.status_code) == (422, 503)
    assert list(faults(text_of(wrong))) == ["redirect_uris"]
    assert 'value="Acme SE"' in text_of(wrong)
    assert 'value="Acme SE"' in text_of(broken)
    assert portal.world.register.require(NUMBER).organisation == "Acme Payments GmbH"


def test_a_tpp_of_the_api_is_taken_over_with_its_token(portal: PortalUnderTest) -> None:
    """A wrong token, an unknown number and a TPP that is another's get one answer, without the token in it."""
    document = portal.registered()
    token = document["registration_access_token"]
    guesses = [{"number": NUMBER, "token": "guess-1"}, {"number": "PSDDE-BAFIN-9", "token": token}, {}]
    said = {tuple(faults(text_of(portal.post("/tpps/claim", guess))).values()) for guess in guesses}
    assert len(said) == 1
    assert "guess-1" not in text_of(portal.post("/tpps/claim", guesses[0]))

    answer = portal.post("/tpps/claim", {"number": f" {NUMBER} ", "token": token})

    assert answer.headers["Location"] == f"/tpps/{NUMBER}"
    other = portal.browser()
    portal.sign_in_as("bob@globex.example", browser=other)
    late = portal.post("/tpps/claim", {"number": NUMBER, "token": token}, browser=other)
    assert tuple(faults(text_of(late)).values()) in said


def test_an_access_token_is_shown_once_and_ends_the_one_before(portal: PortalUnderTest) -> None:
    portal.post("/tpps/new", FORM)
    found = re.search(r'id="token">([^<]+)<', text_of(portal.post(f"/tpps/{NUMBER}/token")))
    assert found is not None

    assert portal.call("GET", f"/api/tpps/{NUMBER}", token=found[1]).status_code == 200
    portal.post(f"/tpps/{NUMBER}/token")
    assert portal.call("GET", f"/api/tpps/{NUMBER}", token=found[1]).status_code == 401


def test_leaving_by_the_page(portal: PortalUnderTest) -> None:
    """A blocked TPP does not leave."""
    portal.post("/tpps/new", FORM)
    register = portal.world.register
    blocked = register.set_blocked(register.require(NUMBER), blocked=True)
    assert portal.post(f"/tpps/{NUMBER}/leave").status_code == 403
    register.set_blocked(blocked, blocked=False)

    assert portal.post(f"/tpps/{NUMBER}/leave").headers["Location"] == "/"

    assert portal.get(f"/tpps/{NUMBER}").status_code == 404
    assert portal.post("/tpps/new", FORM).status_code == 303, "the number is still its own"


PAGES = ["", "/change", "/leave"]
FORMS = ["/continue", "/change", "/token", "/leave"]


@pytest.mark.parametrize(("method", "path"), [*(("GET", each) for each in PAGES), *(("POST", each) for each in FORMS)])
def test_nobody_elses_tpp_is_as_none_at_all(portal: PortalUnderTest, method: str, path: str) -> None:
    """To another organisation the page does not exist, byte for byte; signed out, one is asked to sign in."""
    portal.post("/tpps/new", FORM)
    other = portal.browser()
    portal.sign_in_as("bob@globex.example", browser=other)
    send = portal.get if method == "GET" else portal.post

    foreign = send(f"/tpps/{NUMBER}{path}", browser=other)
    unknown = send(f"/tpps/PSDDE-BAFIN-999999{path}", browser=other)

    assert foreign.status_code == 404
    assert without_form_token(foreign) == without_form_token(unknown)
    assert send(f"/tpps/{NUMBER}{path}", browser=portal.browser()).status_code == 303
    assert portal.world.register.require(NUMBER).organisation == "Acme Payments GmbH"


@pytest.mark.parametrize("path", ["/tpps/new", "/tpps/claim", f"/tpps/{NUMBER}/leave"])
def test_a_form_of_another_page_is_not_taken(portal: PortalUnderTest, path: str) -> None:
    """Without the token that this browser's forms carry."""
    portal.post("/tpps/new", FORM)

    assert portal.call("POST", path, data=FORM).status_code == 400

    assert portal.get(f"/tpps/{NUMBER}").status_code == 200


def test_what_is_typed_is_never_markup(portal: PortalUnderTest) -> None:
    """In every field that is shown again, with faults and without."""
    typed = dict.fromkeys(("organisation", "name", "country", "nca", "identifier", "redirect_uris", "profile", "seed"), SCRIPT)
    pages = [text_of(portal.post("/tpps/new", {**typed, "roles": [SCRIPT]}))]
    pages.append(text_of(portal.post("/tpps/claim", {"number": SCRIPT, "token": SCRIPT})))
    portal.post("/tpps/new", {**FORM, "organisation": SCRIPT})
    pages += [text_of(portal.get(f"/tpps/{NUMBER}{path}")) for path in PAGES]
    pages.append(text_of(portal.post(f"/tpps/{NUMBER}/change", {"organisation": SCRIPT, "redirect_uris": SCRIPT})))
    pages.append(text_of(portal.get("/")))

    assert [page for page in pages if SCRIPT in page] == []
    assert all("&lt;script&gt;" in page for page in pages)
