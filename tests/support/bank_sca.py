"""TPPs, the gateway, the portal and a PSU's browser in front of one seeded bank, over Flask's test client."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bank_backend.app import create_app
from tests.support.bank_core import ANNA, TENANT, SeededBank

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from psd2.ids import PsuId, TenantId

RETURN_URL = "https://localhost:8441/authorize/resume/one-time"
ALL_ROLES = "PSP_AI PSP_PI PSP_IC"
CONSENTS, PAYMENTS, FUNDS = "/v1/consents", "/v1/payments/sepa-credit-transfers", "/v2/consents/confirmation-of-funds"
ELSEWHERE = "DE02100100109307118603"


def consent_body(**changes: Any) -> dict[str, Any]:
    """Return a bank-offered, recurring consent request."""
    body = {
        "access": {"balances": [], "transactions": []},
        "recurringIndicator": True,
        "validUntil": "9999-12-31",
        "frequencyPerDay": 4,
        "combinedServiceIndicator": False,
    }
    return body | changes


def payment_body(debtor: str, **changes: Any) -> dict[str, Any]:
    """Return a payment to another bank."""
    body = {
        "instructedAmount": {"currency": "EUR", "amount": "12.50"},
        "debtorAccount": {"iban": debtor},
        "creditorName": "Buchhandlung am Markt",
        "creditorAccount": {"iban": ELSEWHERE},
        "remittanceInformationUnstructured": "Rechnung 2026-4711",
    }
    return body | changes


@dataclass
class Tpp:
    """A TPP whose calls the gateway forwards."""

    client: FlaskClient
    tenant: TenantId = TENANT
    roles: str = ALL_ROLES
    scope: str = ""
    subject: str = ""

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Call with the usual headers; a header given as the empty text is left out."""
        sent = _sent(self._usual, headers)
        return self.client.open(path, method=method, json=body, headers=sent, environ_overrides=GATEWAY)

    def send(self, path: str, data: bytes, content_type: str, **headers: str) -> TestResponse:
        """Post a body that is no JSON."""
        sent = _sent(self._usual, headers)
        return self.client.post(path, data=data, content_type=content_type, headers=sent, environ_overrides=GATEWAY)

    @property
    def _usual(self) -> dict[str, str]:
        return {
            "X-Sandbox-Listener": "edge",
            "X-Sandbox-Certificate": "qwac",
            "X-Sandbox-Tpp": self.tenant,
            "X-Sandbox-Roles": self.roles,
            "X-Sandbox-Client": "client-1",
            "X-Sandbox-Scope": self.scope,
            "X-Sandbox-Subject": self.subject,
            "X-Request-ID": str(uuid.uuid4()),
            "PSU-IP-Address": "192.0.2.7",
        }

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self.call("POST", path, body, **headers)

    def delete(self, path: str, **headers: str) -> TestResponse:
        return self.call("DELETE", path, **headers)


def _sent(usual: dict[str, str], headers: dict[str, str]) -> dict[str, str]:
    given = usual | {name.replace("_", "-"): value for name, value in headers.items()}
    return {name: value for name, value in given.items() if value}


GATEWAY, PORTAL = {"chassis.caller": "gateway"}, {"chassis.caller": "portal"}


@dataclass
class BankDesk:
    """One bank with everybody around it."""

    bank: SeededBank
    app: Flask = field(init=False)
    tpp: Tpp = field(init=False)

    def __post_init__(self) -> None:
        self.app = create_app(self.bank.services)
        self.tpp = Tpp(self.app.test_client())

    @property
    def password(self) -> str:
        return self.bank.services.tenants.tenant(TENANT).persona_password

    def iban(self, psu: PsuId = ANNA, place: int = 0) -> str:
        """Return an IBAN of the PSU."""
        return self.bank.services.accounts.accounts_of(TENANT, psu)[place].iban

    def consent(self, **changes: Any) -> str:
        """Have the TPP ask for a consent; returns its id."""
        return str(self.tpp.post(CONSENTS, consent_body(**changes)).json["consentId"])  # type: ignore[index]

    def payment(self, **changes: Any) -> str:
        """Have the TPP initiate a payment of Anna's; returns its id."""
        return str(self.tpp.post(PAYMENTS, payment_body(self.iban(), **changes)).json["paymentId"])  # type: ignore[index]

    def funds_consent(self, **changes: Any) -> str:
        """Have the TPP ask for a funds consent on Anna's account; returns its id."""
        return str(self.tpp.post(FUNDS, {"account": {"iban": self.iban()}} | changes).json["consentId"])  # type: ignore[index]

    def internal(self, method: str, path: str, body: Any = None, *, caller: str = "gateway", **headers: str) -> TestResponse:
        """Call as a service of the platform."""
        environ = {"chassis.caller": caller}
        return self.app.test_client().open(path, method=method, json=body, headers=headers, environ_overrides=environ)

    def begin(self, kind: str, resource: str, **changes: Any) -> str:
        """Begin a PSU's visit as the authorization server does; returns the interaction's id."""
        body = {
            "tenant": TENANT,
            "kind": kind,
            "resource": resource,
            "client_id": TENANT,
            "client_name": "Fintech App",
            "return_url": RETURN_URL,
        }
        return str(self.internal("POST", "/internal/interactions", body | changes).json["interaction"])  # type: ignore[index]

    def decide(self, interaction: str, *, psu: str = ANNA, result: str = "APPROVED", **more: Any) -> TestResponse:
        """Decide without a browser."""
        body = {"psu": psu, "result": result} | more
        return self.internal("POST", f"/internal/interactions/{interaction}/decision", body)

    def approved_consent(self, *, psu: str = ANNA, **changes: Any) -> str:
        """Return the id of a consent that the PSU has approved."""
        consent = self.consent(**changes)
        assert self.decide(self.begin("ais", consent), psu=psu).status_code == 200
        return consent

    def reader(self, consent: str) -> Tpp:
        """Return the TPP with a token for this consent, asking without the PSU."""
        return Tpp(self.app.test_client(), scope=f"AIS:{consent}", subject=ANNA)

    def code(self, psu: PsuId = ANNA) -> str:
        """Return the newest code in the PSU's inbox."""
        return _CODE.search(self.bank.services.inbox.messages(TENANT, psu)[0].text)[1]  # type: ignore[index]

    def browser(self) -> Browser:
        """Return a browser of its own."""
        return Browser(self.app.test_client())


_CODE = re.compile(r"your code is ([0-9]{6})")
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass
class Browser:
    """A PSU's browser: it keeps cookies, follows nothing by itself, and fills the form of the page it has open."""

    client: FlaskClient
    csrf: str = ""

    def get(self, path: str) -> TestResponse:
        """Open a page."""
        answer = self.client.get(path, base_url=FRONT, headers={"X-Sandbox-Listener": "front"}, environ_overrides=GATEWAY)
        return self._seen(answer)

    def post(self, path: str, **fields: Any) -> TestResponse:
        """Send the open page's form."""
        form = {"csrf": self.csrf} | fields
        answer = self.client.post(
            path, base_url=FRONT, data=form, headers={"X-Sandbox-Listener": "front"}, environ_overrides=GATEWAY
        )
        return self._seen(answer)

    def log_in(self, interaction: str, password: str, *, psu: str = ANNA) -> TestResponse:
        """Open the visit's page and sign in."""
        self.get(f"/psu/{interaction}")
        answer = self.post(f"/psu/{interaction}/login", login=psu, password=password)
        self.get(f"/psu/{interaction}")
        return answer

    def _seen(self, answer: TestResponse) -> TestResponse:
        found = _CSRF.search(answer.text)
        self.csrf = found[1] if found else self.csrf
        return answer


FRONT = "https://localhost:8441"


def refusal(answer: TestResponse) -> tuple[int, str, str | None]:
    """Return status, code and path of the only message of a refusal."""
    (message,) = answer.json["tppMessages"]  # type: ignore[index]
    return answer.status_code, message["code"], message.get("path")
