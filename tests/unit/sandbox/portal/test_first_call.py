"""The First call page and its downloads, over HTTP."""

from __future__ import annotations

import ast
import html
import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.ca.model import RevocationReason
from tests.support.portal import PortalUnderTest, without_form_token
from tests.support.register import NUMBER

if TYPE_CHECKING:
    from pathlib import Path

PAGES = ["first-call", "first_call.py", "postman.json"]


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    """Lend a portal with a developer signed in."""
    portal = PortalUnderTest(tmp_path)
    portal.sign_in_as("anna@acme.example")
    return portal


def page_of(portal: PortalUnderTest, path: str) -> str:
    """Return a page that must be there, entities resolved."""
    answer = portal.get(f"/tpps/{NUMBER}/{path}")
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.get_data(as_text=True))


def test_everything_is_filled_in(portal: PortalUnderTest) -> None:
    """Addresses, client id, redirect URI, file names and the persona: nothing is left to replace."""
    tpp = portal.owned_tpp()

    page = page_of(portal, "first-call")

    assert f"CLIENT_ID='{NUMBER}'" in page
    assert f"REDIRECT_URI='{tpp.redirect_uris[0]}'" in page
    assert "EDGE='https://localhost:9003'" in page
    assert "QWAC=qwac.crt KEY=qwac.key" in page
    assert '"psu": "anna.weber"' in page


def test_it_leads_to_what_describes_the_interface_and_the_limits(portal: PortalUnderTest) -> None:
    """To the bank's OpenAPI document where no certificate is needed, and to the draft of the RateLimit fields."""
    portal.owned_tpp()

    page = page_of(portal, "first-call")

    assert 'href="https://localhost:9001/openapi.json"' in page
    assert "draft-ietf-httpapi-ratelimit-headers" in page


def test_the_roots_fingerprint_is_there_to_compare(portal: PortalUnderTest) -> None:
    """The bundle comes over plain HTTP, this page over HTTPS."""
    portal.owned_tpp()

    assert "sha256 Fingerprint=" in page_of(portal, "first-call")


def test_the_persona_is_chosen_by_a_plain_link(portal: PortalUnderTest) -> None:
    """Page and downloads agree on who plays the PSU."""
    portal.owned_tpp()

    page = page_of(portal, "first-call?psu=helga.lindner")

    assert '<option value="helga.lindner" selected>' in page
    assert '"psu": "helga.lindner"' in page
    assert "first_call.py?psu=helga.lindner" in page
    assert "PSU = 'helga.lindner'" in page_of(portal, "first_call.py?psu=helga.lindner")
    assert {"key": "psu", "value": "helga.lindner", "type": "string"} in json.loads(
        portal.get(f"/tpps/{NUMBER}/postman.json?psu=helga.lindner").data
    )["variable"]


def test_a_redirect_uri_is_chosen_where_there_are_several(portal: PortalUnderTest) -> None:
    """From the registered ones."""
    portal.owned_tpp(redirect_uris=["https://tpp.example/one", "https://tpp.example/two"])

    assert "REDIRECT_URI='https://tpp.example/two'" in page_of(portal, "first-call?redirect_uri=https://tpp.example/two")


@pytest.mark.parametrize("query", ["psu=nobody", "psu=nora.novak", "redirect_uri=https://evil.example/", "psu="])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_from_the_link_gets_into_a_sample(portal: PortalUnderTest, path: str, query: str) -> None:
    """Somebody could be sent a link whose commands send the code elsewhere."""
    portal.owned_tpp()

    assert portal.get(f"/tpps/{NUMBER}/{path}?{query}").status_code == 404


def test_a_redirect_uri_that_breaks_out_of_quotes_does_not(portal: PortalUnderTest) -> None:
    """In the shell, in HTML, in Python and in JSON."""
    nasty = "https://tpp.example/'$(id)&<b>`"
    portal.owned_tpp(redirect_uris=["https://tpp.example/'$(id)&x"])

    raw = portal.get(f"/tpps/{NUMBER}/first-call").get_data(as_text=True)
    assert nasty not in raw
    assert "REDIRECT_URI='https://tpp.example/'\\''$(id)&x'" in html.unescape(raw)
    ast.parse(portal.get(f"/tpps/{NUMBER}/first_call.py").get_data(as_text=True))
    json.loads(portal.get(f"/tpps/{NUMBER}/postman.json").data)


def test_markup_in_a_personas_name_stays_text(portal: PortalUnderTest) -> None:
    """The page escapes it, the commands quote it."""
    portal.owned_tpp()
    portal.tenant_data.rename("helga.lindner", name="<script>alert('1')</script>")

    raw = portal.get(f"/tpps/{NUMBER}/first-call").get_data(as_text=True)

    assert "<script>alert" not in raw


def test_downloads_are_files_that_nobody_keeps_on_the_way(portal: PortalUnderTest) -> None:
    """With a name, a type, and no-store."""
    portal.owned_tpp()

    for name, mimetype in (("first_call.py", "text/x-python"), ("postman.json", "application/json")):
        answer = portal.get(f"/tpps/{NUMBER}/{name}")
        assert answer.mimetype == mimetype
        assert answer.content_type.count("charset=") <= 1
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
def test_another_organisations_tpp_does_not_exist(portal: PortalUnderTest, path: str) -> None:
    """The same page as for a number that nobody has."""
    portal.owned_tpp()
    other = portal.browser()
    portal.sign_in_as("bob@globex.example", organisation="Globex", browser=other)

    theirs = portal.get(f"/tpps/{NUMBER}/{path}", browser=other)
    nobodys = portal.get(f"/tpps/PSDDE-BAFIN-777777/{path}", browser=other)

    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert without_form_token(theirs).replace(NUMBER, "") == without_form_token(nobodys).replace("PSDDE-BAFIN-777777", "")
    assert portal.tenant_data.asked == []


@pytest.mark.parametrize("path", PAGES)
def test_whoever_is_not_signed_in_is_led_to_sign_in(portal: PortalUnderTest, path: str) -> None:
    """And comes back here."""
    portal.owned_tpp()

    answer = portal.get(f"/tpps/{NUMBER}/{path}", browser=portal.browser())

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("path", PAGES)
def test_a_bank_that_is_down_is_named(portal: PortalUnderTest, path: str) -> None:
    """503, with the service and what to do."""
    portal.owned_tpp()
    portal.tenant_data.is_down = True

    answer = portal.get(f"/tpps/{NUMBER}/{path}", headers={"Accept": "text/html"})

    assert answer.status_code == 503
    assert "bank service can't be reached" in html.unescape(answer.get_data(as_text=True))


def test_a_client_of_fapi_pushes(portal: PortalUnderTest) -> None:
    """The blocks, the program and the collection go the whole way."""
    portal.owned_tpp(profile="fapi2")

    page = page_of(portal, "first-call")

    assert "$EDGE/par" in page
    assert "PUSHES = True" in page
    assert "More is asked of this TPP" not in page


@pytest.mark.parametrize(
    "client",
    [
        {"profile": "fapi2-message-signing", "client_metadata": {"jwks_uri": "https://tpp.example/jwks"}},
        {"profile": "fapi2", "client_metadata": {"token_endpoint_auth_method": "private_key_jwt"}},
        {"profile": "fapi2", "client_metadata": {"dpop_bound_access_tokens": True}},
    ],
)
def test_what_curl_can_not_do_by_itself_is_said_before_it_is_tried(portal: PortalUnderTest, client: dict[str, Any]) -> None:
    """With the command that does it."""
    portal.owned_tpp(**client)

    page = page_of(portal, "first-call")

    assert "More is asked of this TPP" in page
    assert "tpp journey ais --tpp acme" in page


def test_who_has_no_qwac_is_told_to_get_one_first(portal: PortalUnderTest) -> None:
    """Nothing on the page works without it."""
    portal.owned_tpp()
    assert "no QWAC that is good today" not in page_of(portal, "first-call")

    for record in portal.world.authority.certificates():
        portal.world.authority.revoke(record.serial, RevocationReason.SUPERSEDED)

    page = page_of(portal, "first-call")
    assert "no QWAC that is good today" in page
    assert f"/tpps/{NUMBER}/certificates/new?kind=qwac" in page
