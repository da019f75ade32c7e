"""A tenant's clock as its TPP moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.tenants.durations import Duration, InvalidDuration
from tests.support.bank_core import NOW, OTHER_TENANT, TENANT
from tests.support.bank_sca import PAYMENTS, consent_body

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk

CLOCK = "/sandbox/v1/clock"


def shown(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def test_the_clock_shows_the_real_time_at_first(desk: BankDesk) -> None:
    assert desk.tpp.get(CLOCK).json == {"now": shown(NOW), "realTime": shown(NOW), "aheadSeconds": 0}


def test_the_clock_is_put_forward_for_one_tenant(desk: BankDesk) -> None:
    """By a duration, and then to a time; the other tenant's stays."""
    answer: Any = desk.tpp.post(f"{CLOCK}/advance", {"by": "P1DT2H"}).json
    assert answer["now"] == shown(NOW + timedelta(hours=26))
    assert answer["aheadSeconds"] == 26 * 3600
    assert "tasksRun" in answer

    answer = desk.tpp.call("PUT", CLOCK, {"now": "2027-01-31T08:00:00+01:00"}).json
    assert answer["now"] == "2027-01-31T07:00:00+00:00"
    assert desk.bank.services.clock.now(TENANT) == datetime(2027, 1, 31, 7, tzinfo=UTC)
    assert desk.bank.services.clock.now(OTHER_TENANT) == NOW


def test_a_clock_that_is_set_has_reached_its_moment(desk: BankDesk) -> None:
    """Whatever fraction of a second the real one shows: what is due at midnight happens when it is set to midnight."""
    desk.bank.clock.advance(timedelta(milliseconds=300))
    path = f"{PAYMENTS}/{desk.payment(requestedExecutionDate='2026-12-01')}"
    desk.decide(desk.begin("pis", path.rpartition("/")[2]))

    answer: Any = desk.tpp.call("PUT", CLOCK, {"now": "2026-12-01T00:00:00Z"}).json

    assert answer["now"] == "2026-12-01T00:00:00+00:00"
    told: Any = desk.tpp.get(f"{path}/status", Accept="application/json").json
    assert told["transactionStatus"] == "ACSC"


def test_what_the_bank_judges_by_time_follows(desk: BankDesk) -> None:
    """A consent that was valid has expired."""
    consent = desk.approved_consent(**consent_body(validUntil="2026-12-01"))
    reader = desk.reader(consent)
    assert reader.get("/v1/accounts", Consent_ID=consent).status_code == 200

    desk.tpp.post(f"{CLOCK}/advance", {"by": "P1M"})

    assert reader.get("/v1/accounts", Consent_ID=consent).status_code == 401


@pytest.mark.parametrize("to", ["2026-11-18T10:25:59Z", "2026-11-18T10:26:00Z", "2020-01-01T00:00:00Z"])
def test_it_never_goes_back(desk: BankDesk, to: str) -> None:
    """The answer says what it shows, and what to do instead."""
    answer = desk.tpp.call("PUT", CLOCK, {"now": to})

    assert answer.status_code == 422
    reason = answer.json["fields"]["now"]  # type: ignore[index]
    assert "only moves forward" in reason
    assert "restore a snapshot" in reason
    assert desk.bank.services.clock.now(TENANT) == NOW


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/advance", {"by": "1 day"}, "by"),
        ("POST", "/advance", {"by": "P0D"}, "by"),
        ("POST", "/advance", {"by": "-P1D"}, "by"),
        ("POST", "/advance", {"by": "P11Y"}, "by"),
        ("POST", "/advance", {"by": "P999Y"}, "by"),
        ("POST", "/advance", {"by": 3600}, "by"),
        ("POST", "/advance", {}, "by"),
        ("PUT", "", {"now": "2027-01-01"}, "now"),
        ("PUT", "", {"now": "2027-01-01T00:00:00"}, "now"),
        ("PUT", "", {"now": 1_800_000_000}, "now"),
        ("PUT", "", {"now": "9999-12-31T23:59:59Z"}, "now"),
        # In UTC the calendar knows neither.
        ("PUT", "", {"now": "9999-12-31T23:59:59-14:00"}, "now"),
        ("PUT", "", {"now": "0001-01-01T00:00:00+14:00"}, "now"),
    ],
)
def test_a_move_that_is_none_is_refused(desk: BankDesk, method: str, path: str, body: Any, field: str) -> None:
    answer = desk.tpp.call(method, CLOCK + path, body)

    assert answer.status_code == 422, answer.text
    assert list(answer.json["fields"]) == [field]  # type: ignore[index]
    assert desk.bank.services.clock.now(TENANT) == NOW


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("P1D", datetime(2026, 2, 1, 12, tzinfo=UTC)),
        ("P1M", datetime(2026, 2, 28, 12, tzinfo=UTC)),
        ("P1Y1M", datetime(2027, 2, 28, 12, tzinfo=UTC)),
        ("P2W", datetime(2026, 2, 14, 12, tzinfo=UTC)),
        ("PT36H", datetime(2026, 2, 2, 0, tzinfo=UTC)),
        ("P13M", datetime(2027, 2, 28, 12, tzinfo=UTC)),
        ("PT1M30S", datetime(2026, 1, 31, 12, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_duration_is_the_calendars(text: str, after: datetime) -> None:
    assert Duration.parse(text).after(datetime(2026, 1, 31, 12, tzinfo=UTC)) == after


@pytest.mark.parametrize("text", ["P", "PT", "1D", "P1H", "P1.5D", "P1DT", "p1d", "P1D ", ""])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(InvalidDuration):
        Duration.parse(text)


def test_a_field_that_is_not_known_is_refused_and_called_so(desk: BankDesk) -> None:
    """And not said to be ignored: nothing has happened."""
    answer = desk.tpp.post(f"{CLOCK}/advance", {"by": "P1D", "timezone": "UTC"})

    fields = {"timezone": "is not known here, and is refused rather than ignored: remove it"}
    assert (answer.status_code, answer.json["fields"]) == (422, fields)  # type: ignore[index]
    assert desk.bank.services.clock.now(TENANT) == NOW
