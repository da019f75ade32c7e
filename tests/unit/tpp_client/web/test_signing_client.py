"""The demo app as a client of FAPI 2.0 Message Signing: pushed and signed there, signed and judged on the way back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from tests.unit.tpp_client.fakes import EDGE, ISSUER, METADATA, answer
from tests.unit.tpp_client.web.conftest import NOW
from tpp_client.client import ClientTraits
from tpp_client.readable import unverified_claims
from tpp_client.signing_keys import new_signing_key

if TYPE_CHECKING:
    from tests.unit.tpp_client.fake_bank import FakeBank
    from tests.unit.tpp_client.web.conftest import Browser, FakeDesk
    from tpp_client.wire import HttpRequest

BANK = new_signing_key()
TRAITS = ClientTraits(profile="fapi2-message-signing", auth_method="private_key_jwt")
PUSHING = METADATA | {"pushed_authorization_request_endpoint": f"{EDGE}/par", "jwks_uri": f"{ISSUER}/jwks"}


@pytest.fixture
def desk(desk: FakeDesk, bank: FakeBank) -> FakeDesk:
    desk.identity, desk.key = replace(desk.identity, client=TRAITS), new_signing_key()
    bank.answers |= {
        "GET /.well-known/oauth-authorization-server": lambda _: answer(200, PUSHING),
        "POST /par": lambda _: answer(201, {"request_uri": "urn:ietf:params:oauth:request_uri:x", "expires_in": 90}),
        "GET /jwks": lambda _: answer(200, {"keys": [BANK.public]}),
    }
    return desk


def form(bank: FakeBank, path: str) -> dict[str, str]:
    sent: HttpRequest = [one for one in bank.requests if one.url == f"{EDGE}{path}"][-1]
    return {name: values[0] for name, values in parse_qs((sent.body or b"").decode()).items()}


def pushed(browser: Browser, bank: FakeBank) -> dict[str, Any]:
    """Press connect; return what was pushed, and signed."""
    assert set(browser.sent_to_bank()) == {"client_id", "request_uri"}
    return dict(unverified_claims(form(bank, "/par")["request"]))


def signed(asked: dict[str, Any], **changes: Any) -> str:
    ends = int(NOW.timestamp()) + 60
    claims = {"iss": ISSUER, "aud": asked["client_id"], "exp": ends, "state": asked["state"], "code": "c0de"}
    return BANK.signed(claims | changes)


def test_a_connection_is_made(browser: Browser, bank: FakeBank) -> None:
    """The answer finds its attempt though nothing stands open in the address; the code is redeemed under a signature."""
    asked = pushed(browser, bank)

    assert browser.get("/callback", response=signed(asked)).status_code == 303
    assert asked["response_mode"] == "jwt"
    assert form(bank, "/token").keys() >= {"code", "code_verifier", "client_assertion"}
    page = browser.get("/accounts").text
    assert "100.00" in page
    assert form(bank, "/token")["client_assertion"] not in page


@pytest.mark.parametrize("changes", [{"aud": "somebody"}, {"iss": "https://evil.example"}])
def test_what_is_signed_for_others_is_not_used(browser: Browser, bank: FakeBank, changes: dict[str, Any]) -> None:
    """Nor is it tried a second time."""
    asked = pushed(browser, bank)

    assert browser.get("/callback", response=signed(asked, **changes)).status_code == 400
    assert bank.calls.count("POST /token") == 0
    assert browser.get("/callback", response=signed(asked)).status_code == 400


def test_a_stripped_answer_is_not_used(browser: Browser, bank: FakeBank) -> None:
    """The state is right, the signature is missing."""
    asked = pushed(browser, bank)

    assert browser.come_back(asked["state"]).status_code == 400
    assert bank.calls.count("POST /token") == 0
