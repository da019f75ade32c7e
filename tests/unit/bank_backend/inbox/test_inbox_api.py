"""Inboxes over HTTP: a TPP's own tenant's, newest first (architecture §3.3, §3.6)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bank_backend.inbox.model import Channel, Message
from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT, TENANT
from tests.support.bank_sca import BankDesk, Tpp

if TYPE_CHECKING:
    from psd2.ids import PsuId

OWN = "/sandbox/v1/inbox"


def deliver(desk: BankDesk, text: str, psu: PsuId = ANNA) -> None:
    message = Message(
        tenant=TENANT, psu=psu, at=desk.bank.clock.now(), channel=Channel.SMS, subject="Your one-time code", text=text
    )
    with desk.bank.database.writing() as connection:
        desk.bank.services.inbox.deliver(connection, message)
    desk.bank.clock.advance(timedelta(seconds=1))


def texts(body: Any) -> list[str]:
    return [message["text"] for message in body["messages"]]


def test_newest_first_with_time_and_channel(desk: BankDesk) -> None:
    """The shape that programs read the code from."""
    deliver(desk, "first")
    deliver(desk, "second")

    body: Any = desk.tpp.get(f"{OWN}?psu={ANNA}").json

    assert texts(body) == ["second", "first"]
    assert body["messages"][1] == {
        "at": "2026-11-18T10:26:00+00:00",
        "psu": ANNA,
        "channel": "sms",
        "subject": "Your one-time code",
        "text": "first",
    }


def test_one_psus_or_everybodys(desk: BankDesk) -> None:
    """`psu` narrows it."""
    deliver(desk, "to Anna")
    deliver(desk, "to Jonas", JONAS)

    assert texts(desk.tpp.get(f"{OWN}?psu={JONAS}").json) == ["to Jonas"]
    assert texts(desk.tpp.get(OWN).json) == ["to Jonas", "to Anna"]


def test_another_tpp_sees_nothing_of_it(desk: BankDesk) -> None:
    """A code read by another TPP would be a code stolen."""
    deliver(desk, "to Anna")

    assert Tpp(desk.app.test_client(), tenant=OTHER_TENANT).get(f"{OWN}?psu={ANNA}").json == {"messages": []}


def test_the_portal_reads_any_tenants(desk: BankDesk) -> None:
    """And nobody else does at that address."""
    deliver(desk, "to Anna")
    path = f"/internal/tenants/{TENANT}/inbox"

    assert texts(desk.internal("GET", path, caller="portal").json) == ["to Anna"]
    assert desk.internal("GET", path, caller="gateway").status_code == 403
    assert desk.internal("GET", "/internal/tenants/PSDDE-BAFIN-999999/inbox", caller="portal").status_code == 404


def test_a_week_later_it_is_forgotten(desk: BankDesk) -> None:
    """An inbox does not grow for ever."""
    deliver(desk, "old")
    desk.bank.clock.advance(timedelta(days=8))
    deliver(desk, "new")

    assert texts(desk.tpp.get(OWN).json) == ["new"]
