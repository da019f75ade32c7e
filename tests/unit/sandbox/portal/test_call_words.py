"""Where the portal sends whoever was refused agrees with what the refusal itself says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sandbox.portal
from gateway.admission.grounds import GROUNDS
from sandbox.calls.model import Explanation
from sandbox.portal.pages.call_words import help_with
from tests.support.register import NUMBER, RegisterWorld, registration

TEMPLATES = Path(sandbox.portal.__file__).parent / "templates"
FOLDERS = {"Certificates": "certificates", "Operator": "operator"}
OF_CERTIFICATES = sorted(
    reason for reason, ground in GROUNDS.items() if reason.startswith(("mtls.", "signature.")) and "portal: " in ground.hint
)


def explained(reason: str) -> Explanation:
    return Explanation(by="gateway", reason=reason, text="", hint="", clause="")


@pytest.mark.parametrize("reason", OF_CERTIFICATES)
def test_help_leads_to_a_page_that_the_hint_names(reason: str) -> None:
    """To the certificates of the TPP, or to the doctor."""
    tpp = RegisterWorld().register.register_new(registration()).tpp

    led = help_with(explained(reason), tpp)

    assert led is not None
    page = led.path.partition("?")[0].removeprefix(f"/tpps/{NUMBER}").split("/")[1]
    assert page.capitalize() in re.findall(r"portal: (\w+)", GROUNDS[reason].hint)


@pytest.mark.parametrize("reason", ["mtls.untrusted", "mtls.malformed"])
def test_the_doctor_is_there_for_whoever_can_not_be_told(reason: str) -> None:
    """Such a certificate names no TPP that could be believed; the pages of a TPP need one."""
    led = help_with(explained(reason), None)

    assert led is not None
    assert led.path == "/doctor"
    assert help_with(explained("mtls.expired"), None) is None


def test_what_hints_call_pages_and_buttons_is_what_they_are_called() -> None:
    """`portal: Certificates, Renew` finds a page that says so."""
    named = {pair for ground in GROUNDS.values() for pair in re.findall(r"portal: (\w+), ([\w ]+)", ground.hint)}
    assert ("Certificates", "Get a QWAC") in named
    for page, words in named:
        texts = [path.read_text("utf-8") for path in (TEMPLATES / FOLDERS[page]).glob("*.html")]
        assert any(f">{words}" in text for text in texts), (page, words)


@pytest.mark.parametrize(
    "reason", ["client.keys", "assertion.aud", "jose.signature", "par.required", "dpop.missing", "mtls.self_signed"]
)
def test_what_a_client_is_refused_for_leads_to_the_client(reason: str) -> None:
    """Where its profile, its keys and what its tokens are bound to are shown and changed."""
    tpp = RegisterWorld().register.register_new(registration()).tpp

    led = help_with(explained(reason), tpp)

    assert led is not None
    assert led.path == f"/tpps/{NUMBER}/client"
