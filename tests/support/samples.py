"""What samples are written with, for tests."""

from __future__ import annotations

from datetime import date
from typing import Any

from psd2.money import Money
from psd2.roles import PspRole
from sandbox.samples.model import PaymentExample, SampleData

NUMBER = "PSDDE-BAFIN-100042"
ALL_ROLES = frozenset({PspRole.AI, PspRole.PI, PspRole.IC})


def sample_data(**changes: Any) -> SampleData:
    """Return a TPP's values, with changes."""
    twelve = Money.parse("12", "EUR")
    values: dict[str, Any] = {
        "client_id": NUMBER,
        "authorisation_number": NUMBER,
        "organisation": "Acme Payments GmbH",
        "roles": ALL_ROLES,
        "redirect_uri": "https://tpp.example/callback",
        "welcome": "http://localhost:8439",
        "front": "https://localhost:8441",
        "edge": "https://localhost:8443",
        "psu": "anna.weber",
        "iban": "DE84999999993594367949",
        "amount": twelve,
        "payment": PaymentExample(
            debtor_iban="DE84999999993594367949",
            creditor_iban="DE27999999994275040964",
            creditor_name="Helga Lindner",
            amount=twelve,
        ),
        "today": date(2026, 11, 22),
    }
    return SampleData(**(values | changes))
