"""A TPP that carries the PSU's password and code, for tests of the embedded approach."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.support.bank_core import ANNA, TENANT
from tests.support.bank_sca import CONSENTS, PAYMENTS

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from psd2.ids import PsuId
    from tests.support.bank_sca import BankDesk


@dataclass
class Embedding:
    """One authorisation of one resource; `path` is its address once it is started."""

    desk: BankDesk
    resource: str
    path: str = ""

    @staticmethod
    def of_payment(desk: BankDesk, **changes: Any) -> Embedding:
        """Initiate a payment of Anna's at a bank that embeds."""
        desk.bank.services.personalities.choose(TENANT, "embedded")
        return Embedding(desk, f"{PAYMENTS}/{desk.payment(**changes)}")

    @staticmethod
    def of_consent(desk: BankDesk) -> Embedding:
        """Ask for a consent on Anna's first account at a bank that embeds."""
        desk.bank.services.personalities.choose(TENANT, "embedded")
        access = {"balances": [{"iban": desk.iban()}]}
        return Embedding(desk, f"{CONSENTS}/{desk.consent(access=access)}")

    def start(self, body: Any = None, **headers: str) -> TestResponse:
        """Start an authorisation."""
        answer = self.desk.tpp.post(f"{self.resource}/authorisations", body, **headers)
        if answer.status_code == 201:
            self.path = answer.headers["Location"]
        return answer

    def put(self, body: Any, **headers: str) -> TestResponse:
        """Further it."""
        return self.desk.tpp.call("PUT", self.path, body, **headers)

    def password(self, psu: PsuId = ANNA, text: str | None = None) -> TestResponse:
        """Send the PSU's password, with its PSU-ID."""
        return self.put({"psuData": {"password": text or self.desk.password}}, PSU_ID=psu)

    def method(self, kind: str = "SMS_OTP", *, psu: PsuId = ANNA) -> TestResponse:
        """Send the password, and choose the method of this kind."""
        methods = self.password(psu).json["scaMethods"]  # type: ignore[index]
        (chosen,) = [each["authenticationMethodId"] for each in methods if each["authenticationType"] == kind]
        return self.put({"authenticationMethodId": chosen})

    def code(self, text: str | None = None, *, psu: PsuId = ANNA) -> TestResponse:
        """Send a code: the one from the PSU's inbox."""
        return self.put({"scaAuthenticationData": text or self.desk.code(psu)})

    def status(self) -> str:
        """Return the resource's status."""
        body: dict[str, Any] = self.desk.tpp.get(f"{self.resource}/status").json  # type: ignore[assignment]
        return str(body.get("transactionStatus") or body["consentStatus"])

    def sca_status(self) -> str:
        """Return the authorisation's status."""
        return str(self.desk.tpp.get(self.path).json["scaStatus"])  # type: ignore[index]


def change_standard(desk: BankDesk, **fields: Any) -> None:
    """Give the bank's standard personality other fields, for this bank alone."""
    personalities = desk.bank.services.personalities
    changed = replace(personalities.named("standard"), **fields)
    personalities._known = {**personalities._known, "standard": changed}


def relations(answer: TestResponse) -> set[str]:
    """Return the names of an answer's links."""
    return set(answer.json.get("_links", {}))  # type: ignore[union-attr]
