"""A data set of two people, small enough to read, and the interface that takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from tests.support.bank_core import TENANT
from tests.support.bank_sca import GATEWAY, BankDesk

if TYPE_CHECKING:
    from werkzeug.test import TestResponse


DATA = "/sandbox/v1/data"
IBANS = ("DE02100100109307118603", "DE91100000000123456789")
SMALL: dict[str, list[dict[str, Any]]] = {
    "psus": [{"psu": "ada.byron", "name": "Ada Byron"}, {"psu": "charles", "name": "Charles Babbage"}],
    "accounts": [
        {"iban": IBANS[0], "currency": "EUR", "name": "Main", "ownerName": "Ada Byron", "holders": ["ada.byron"]},
        {
            "iban": IBANS[1],
            "currency": "EUR",
            "name": "Joint",
            "ownerName": "Ada Byron, Charles Babbage",
            "holders": ["ada.byron", "charles"],
            "creditLimit": "500.00",
        },
    ],
    "transactions": [
        {"account": IBANS[0], "currency": "EUR", "amount": "1000.00", "bookingDate": "2026-11-02", "debtorName": "Employer"},
        {"account": IBANS[0], "currency": "EUR", "amount": "-20.50", "bookingDate": "2026-11-03", "creditorName": "Shop"},
        {"account": IBANS[0], "currency": "EUR", "amount": "-5.00", "status": "pending", "creditorName": "Cafe"},
    ],
    "balances": [
        {"account": IBANS[0], "currency": "EUR", "booked": "979.50", "available": "974.50"},
        {"account": IBANS[1], "currency": "EUR", "booked": "-120.00"},
    ],
}


def bring_in(desk: BankDesk, body: bytes, content_type: str = "application/json", **headers: str) -> TestResponse:
    return desk.app.test_client().post(
        f"{DATA}/import",
        data=body,
        content_type=content_type,
        headers={"X-Sandbox-Tpp": TENANT, "X-Sandbox-Listener": "edge", **headers},
        environ_overrides=GATEWAY,
    )


def bring_in_json(desk: BankDesk, document: object) -> TestResponse:
    return bring_in(desk, orjson.dumps(document))


def exported(desk: BankDesk, wanted: str = "json") -> bytes:
    answer = desk.tpp.get(f"{DATA}/export?format={wanted}")
    assert answer.status_code == 200
    content: bytes = answer.data
    return content
