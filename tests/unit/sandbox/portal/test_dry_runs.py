"""Dry runs in the portal: of a call and of a request that is written down, for one's own TPPs alone; tokens stay here."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.answers import PeerRefused
from tests.support.pki import Authority
from tests.support.portal import ADDRESS, PortalUnderTest, without_form_token

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.pki import Issued

OTHER_NUMBER = "PSDFR-ACPR-12345"
SECRET = "a-token-that-nobody-may-see"
FORM = {"method": "GET", "path": "/v1/accounts?x=1", "certificate": "", "token": "", "headers": "", "body": ""}


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    portal = PortalUnderTest(tmp_path)
    portal.sign_in_as("anna@acme.example")
    return portal


@pytest.fixture
def number(portal: PortalUnderTest) -> str:
    return str(portal.owned_tpp().authorisation_number)


@pytest.fixture
def held(portal: PortalUnderTest, number: str) -> Issued:
    """Return the QWAC that the TPP holds."""
    certificate = Authority().qwac(number=number)
    records = portal.world.authority.records
    serial = next(serial for serial, record in records.items() if record.profile == "qwac")
    records[serial] = replace(records[serial], der=certificate.der, sha256=certificate.sha256)
    return certificate


def page_of(portal: PortalUnderTest, number: str, **form: str) -> str:
    answer = portal.post(f"/tpps/{number}/requests/explain", FORM | form)
    assert answer.status_code == 200, answer.text
    return without_form_token(answer)


def test_a_call_leads_to_its_dry_run(portal: PortalUnderTest, number: str, held: Issued) -> None:
    """With the certificate, the token and the address that it came with; nothing has to be pasted."""
    call = portal.call_log.add(
        number,
        client_ip="192.0.2.7",
        tpp_request_id="99391c7e",
        certificate={"sha256": held.sha256},
        token={"id": "0123456789abcdef"},
        outcome="refused",
    )
    path = f"/tpps/{number}/requests/explain?call={call}"
    assert f'href="{path}"' in portal.get(f"/requests/{call}").text

    page = portal.get(path).text
    assert "The certificate has expired. Renew it." in page
    assert "ask there" in page
    (question,) = portal.call_log.questions
    assert question == {
        "tpp": number,
        "address": "192.0.2.7",
        "method": "GET",
        "path": "/v1/accounts",
        "headers": {"x-request-id": "99391c7e"},
        "body": "",
        "certificate": held.pem,
        "token": "0123456789abcdef",
    }


@pytest.mark.parametrize("form", [{"token": SECRET}, {"headers": f"Authorization: Bearer {SECRET}\nConsent-ID: 17"}])
def test_a_token_leaves_the_portal_as_its_hash_and_is_not_shown_again(
    portal: PortalUnderTest, number: str, form: dict[str, str]
) -> None:
    """Wherever it was pasted."""
    page = page_of(portal, number, **form)
    (question,) = portal.call_log.questions
    assert question["token"] == hashlib.sha256(SECRET.encode()).hexdigest()
    assert (question["path"], question["address"]) == ("/v1/accounts?x=1", ADDRESS)
    assert "authorization" not in question["headers"]
    assert SECRET not in page
    assert SECRET not in str(question)


def test_without_certificate_and_token_none_is_asked_about(portal: PortalUnderTest, number: str, held: Issued) -> None:
    """And with one's own, that one."""
    page_of(portal, number)
    page_of(portal, number, certificate=held.sha256)
    page_of(portal, number, certificate="ab" * 32)
    assert [question.get("certificate") for question in portal.call_log.questions] == [None, held.pem, None]


def test_nothing_is_asked_for_or_of_others(portal: PortalUnderTest, number: str) -> None:
    """Neither another organisation's TPP nor another TPP's call, with its token."""
    foreign = portal.call_log.add(OTHER_NUMBER, token={"id": "0123456789abcdef"})
    nobodys = portal.call_log.add(None, token={"id": "0123456789abcdef"})
    for call in (foreign, nobodys):
        assert portal.get(f"/tpps/{number}/requests/explain?call={call}").status_code == 200
        assert portal.call_log.questions == []
    other = portal.browser()
    portal.sign_in_as("ben@other.example", browser=other)
    for answer in (
        portal.get(f"/tpps/{number}/requests/explain", browser=other),
        portal.post(f"/tpps/{number}/requests/explain", FORM, browser=other),
    ):
        assert answer.status_code == 404
    assert portal.call_log.questions == []


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"headers": "no header"}, "Line 1: write a header as Name: value."),
        ({"body": "x" * 30_001}, "at most 30000 characters"),
    ],
)
def test_what_is_no_request_is_told_at_its_field(portal: PortalUnderTest, number: str, form: dict[str, str], told: str) -> None:
    answer = portal.post(f"/tpps/{number}/requests/explain", FORM | form)
    assert (answer.status_code, told in answer.text, portal.call_log.questions) == (422, True, [])


def test_what_the_gateway_can_not_read_is_told(portal: PortalUnderTest, number: str) -> None:
    portal.call_log.refusal = PeerRefused("admin", 422, "path: begins with a slash")
    answer = portal.post(f"/tpps/{number}/requests/explain", FORM | {"path": "accounts"})
    assert (answer.status_code, "path: begins with a slash" in answer.text) == (422, True)
