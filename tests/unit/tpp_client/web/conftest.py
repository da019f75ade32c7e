"""The demo app in front of a fake bank, and browsers that keep cookies and fill in forms."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chassis.sql.database import open_engine
from psd2.clock import FixedClock
from tests.unit.tpp_client.fakes import ISSUER, answer
from tpp_client.speaking import Voice
from tpp_client.web.app import create_app
from tpp_client.web.bootstrap import Services
from tpp_client.web.config import DemoSettings
from tpp_client.web.desk import Tpp
from tpp_client.web.pace import Pace
from tpp_client.web.visits.store import VisitStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask
    from werkzeug.test import TestResponse

    from tests.unit.tpp_client.fake_bank import FakeBank
    from tpp_client.discovery import ServerMetadata
    from tpp_client.identity import TppIdentity
    from tpp_client.signing_keys import SigningKey

ORIGIN = "https://localhost:8446"
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
ACCESS, REFRESH = "acc3ss-t0ken-of-the-first-kind", "r3fresh-t0ken-of-the-first-kind"
_FORM_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class FakeDesk:
    """A TPP whose calls the fake bank answers."""

    def __init__(self, identity: TppIdentity, bank: FakeBank) -> None:
        self.identity = identity
        self.bank = bank
        self.fault: Exception | None = None
        self.key: SigningKey | None = None

    def tpp(self) -> Tpp:
        if self.fault:
            raise self.fault
        voice = Voice(identity=self.identity, clock=FixedClock(NOW), key=self.key)
        return Tpp(self.identity, voice, voice.over(self.bank))

    def metadata(self, read: Callable[[], ServerMetadata]) -> ServerMetadata:
        return read()


class Browser:
    """One browser with a cookie jar of its own."""

    def __init__(self, app: Flask, *, address: str = "192.0.2.1") -> None:
        self._client = app.test_client()
        self._headers = {"X-Sandbox-Address": address, "Referer": f"{ORIGIN}/"}

    def get(self, path: str, **query: str) -> TestResponse:
        return self._client.get(path, base_url=ORIGIN, headers=self._headers, query_string=query or None)

    def post(self, path: str, **fields: str) -> TestResponse:
        """Send a form with the token that this browser's pages carry."""
        token = _FORM_TOKEN.search(self.get("/").text) or _FORM_TOKEN.search(self.get("/connection").text)
        return self.post_raw(path, fields | ({"csrf_token": token[1]} if token else {}))

    def post_raw(self, path: str, fields: dict[str, str], **more: Any) -> TestResponse:
        return self._client.post(path, base_url=ORIGIN, headers=self._headers, data=fields, **more)

    @property
    def cookies(self) -> dict[str, str]:
        """What the browser holds."""
        return {cookie.key: cookie.value for cookie in self._client._cookies.values()}

    def hold(self, cookies: dict[str, str]) -> None:
        """Take over cookies, as a thief would."""
        for name, value in cookies.items():
            self._client.set_cookie(name, value, domain="localhost", secure=True)

    def sent_to_bank(self) -> dict[str, str]:
        """Press connect; return the parameters of the address it is sent to."""
        response = self.post("/connect")
        assert response.status_code == 303, response.text
        return {name: values[0] for name, values in parse_qs(urlsplit(response.location).query).items()}

    def come_back(self, state: str, **more: str) -> TestResponse:
        return self.get("/callback", **({"code": "c0de", "iss": ISSUER, "state": state} | more))

    def connect(self) -> TestResponse:
        """Go the whole way; return the page it ends on."""
        back = self.come_back(self.sent_to_bank()["state"])
        assert back.status_code == 303, back.text
        return self.get(urlsplit(back.location).path)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def desk(identity: TppIdentity, bank: FakeBank) -> FakeDesk:
    bank.answers |= {
        "POST /token": lambda _: answer(200, tokens(ACCESS, refresh=REFRESH)),
        "POST /revoke": lambda _: answer(200),
        "GET /v1/consents/c1": lambda _: answer(200, CONSENT),
        "DELETE /v1/consents/c1": lambda _: answer(204),
        "GET /v1/accounts/a1/transactions": lambda _: answer(200, {"transactions": {"booked": BOOKED, "_links": {}}}),
    }
    return FakeDesk(identity, bank)


@pytest.fixture
def services(desk: FakeDesk, clock: FixedClock, tmp_path: Path) -> Services:
    settings = DemoSettings(home_path=tmp_path)
    visits = VisitStore(
        open_engine(f"sqlite:///{tmp_path / 'demo.sqlite'}"),
        clock=clock,
        most=settings.max_visits,
        lifetime_seconds=settings.visit_seconds,
    )
    return Services(settings=settings, clock=clock, desk=desk, visits=visits, pace=Pace(clock), form_key="a key for forms")


@pytest.fixture
def app(services: Services) -> Flask:
    return create_app(services)


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def other(app: Flask) -> Browser:
    return Browser(app)


def tokens(access: str, *, refresh: str | None = None) -> dict[str, object]:
    """Return a token response; the access token lives for five minutes."""
    body: dict[str, object] = {"access_token": access, "token_type": "Bearer", "expires_in": 300}
    return body | ({"refresh_token": refresh} if refresh else {})


SAID = {"reason": "request.format", "hint": "Correct the field.", "clause": "BG IG 1.3.8 §14.11"}


def refusal(status: int, code: str, text: str, path: str | None = None) -> Any:
    """Return what answers a call with a Berlin Group error, and what the sandbox says beside it."""
    message = {"category": "ERROR", "code": code, "text": text} | ({"path": path} if path else {})
    return lambda _: answer(status, {"tppMessages": [message], **SAID})


CONSENT = {
    "consentStatus": "valid",
    "validUntil": "2027-02-20",
    "frequencyPerDay": 4,
    "recurringIndicator": True,
    "access": {"accounts": [{"iban": "DE1"}], "balances": [{"iban": "DE1"}], "transactions": [{"iban": "DE1"}]},
}


def movement(day: str, amount: str, name: str, balance: str) -> dict[str, object]:
    side = "creditorName" if amount.startswith("-") else "debtorName"
    return {
        "transactionId": f"{day}{name}",
        "bookingDate": day,
        "transactionAmount": {"currency": "EUR", "amount": amount},
        side: name,
        "remittanceInformationUnstructured": f"about {name}",
        "balanceAfterTransaction": {"balanceAmount": {"currency": "EUR", "amount": balance}, "balanceType": "interimBooked"},
    }


BOOKED = [
    movement("2026-11-20", "-30.00", "Bakery", "100.00"),
    movement("2026-11-20", "-20.00", "Rent", "130.00"),
    movement("2026-11-03", "100.00", "Employer", "150.00"),
]
