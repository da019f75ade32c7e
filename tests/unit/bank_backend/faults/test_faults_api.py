"""Faults: what a TPP has its own bank do wrong, and how the answers say so."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.faults.injection import HEADER
from bank_backend.faults.model import MOST_FAULTS, is_of_template, is_template, strikes
from bank_backend.faults.service import Rejection
from chassis.told.fault_orders import HEADER as ORDER
from chassis.told.fault_orders import FaultOrder, UnreadableOrder, read_fault_order
from chassis.told.refusals import HEADER as TOLD
from chassis.told.refusals import read_refusal_header
from tests.support.bank_core import OTHER_TENANT, TENANT
from tests.support.bank_sca import CONSENTS, PAYMENTS, Tpp, consent_body

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.bank_sca import BankDesk

FAULTS = "/sandbox/v1/faults"
BUSY = {"kind": "error", "path": CONSENTS, "status": 500}


def set_fault(desk: BankDesk, **fault: Any) -> dict[str, Any]:
    answer = desk.tpp.post(FAULTS, fault)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)  # type: ignore[arg-type]


def ask(desk: BankDesk, tpp: Tpp | None = None) -> TestResponse:
    return (tpp or desk.tpp).post(CONSENTS, consent_body())


def told(answer: TestResponse) -> str:
    return read_refusal_header(answer.headers[TOLD].encode()).reason


def test_an_error_takes_the_place_of_the_bank(desk: BankDesk) -> None:
    """With the status and the code that were set; nothing is done, and the answer says that it was a fault."""
    fault = set_fault(desk, **BUSY, text="down for tests")

    answer = ask(desk)

    assert answer.status_code == 500
    message = answer.json["tppMessages"][0]  # type: ignore[index]
    assert (message["code"], message["text"]) == ("INTERNAL_SERVER_ERROR", "down for tests")
    assert answer.headers[HEADER] == f"error; id={fault['id']}"
    assert (told(answer), answer.json["reason"]) == ("fault.error", "fault.error")  # type: ignore[index]
    with desk.bank.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM consents").scalar() == 0


def test_a_given_code_goes_with_a_given_status(desk: BankDesk) -> None:
    set_fault(desk, kind="error", path=CONSENTS, method="POST", status=429, code="ACCESS_EXCEEDED")

    assert ask(desk).json["tppMessages"][0]["code"] == "ACCESS_EXCEEDED"  # type: ignore[index]


def test_a_fault_is_for_so_many_calls(desk: BankDesk) -> None:
    """Exactly: then the bank is as it was, and the list tells what the fault has done."""
    fault = set_fault(desk, **BUSY, calls=2)

    assert [ask(desk).status_code for _ in range(4)] == [500, 500, 201, 201]
    listed: Any = desk.tpp.get(FAULTS).json
    assert listed["faults"] == [fault | {"callsLeft": 0, "matched": 2, "struck": 2}]


def test_of_many_calls_at_once_exactly_so_many_fail(desk: BankDesk) -> None:
    """Whichever thread or process counts: none is counted twice, none is left out."""
    set_fault(desk, kind="error", path="/v1/consents/{consentId}", status=500, calls=7)
    statuses: list[int] = []

    def call() -> None:
        tpp = Tpp(desk.app.test_client())
        statuses.extend(tpp.get(f"{CONSENTS}/00000000-0000-4000-8000-000000000000").status_code for _ in range(5))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert statuses.count(500) == 7
    assert len(statuses) == 20


def test_a_rate_strikes_so_often(desk: BankDesk) -> None:
    """Of ten calls at a rate of 0.3 it is three."""
    set_fault(desk, **BUSY, rate=0.3)

    assert [ask(desk).status_code for _ in range(10)].count(500) == 3


def test_a_late_answer_is_ordered_from_the_edge(desk: BankDesk) -> None:
    """The bank has answered already, none of its threads sleeps; the edge holds the answer back."""
    set_fault(desk, kind="latency", path=CONSENTS, milliseconds=1_500)

    answer = ask(desk)

    assert answer.status_code == 201
    assert read_fault_order(answer.headers[ORDER].encode()) == FaultOrder(1_500, is_dropped=False)
    assert told(answer) == "fault.latency"
    assert answer.headers[HEADER].startswith("latency; id=")


def test_an_answer_is_dropped_after_the_work_was_done(desk: BankDesk) -> None:
    set_fault(desk, kind="drop-answer", path=CONSENTS, calls=1)

    answer = ask(desk)

    assert read_fault_order(answer.headers[ORDER].encode()).is_dropped
    assert told(answer) == "fault.drop_answer"
    assert desk.tpp.get(f"{CONSENTS}/{answer.json['consentId']}").status_code == 200  # type: ignore[index]


def test_faults_come_together(desk: BankDesk) -> None:
    """A late error: both are named."""
    set_fault(desk, kind="latency", path="/v1/**", milliseconds=200)
    set_fault(desk, **BUSY)

    answer = ask(desk)

    assert answer.status_code == 500
    assert [part.split(";")[0] for part in answer.headers[HEADER].split(", ")] == ["latency", "error"]
    assert read_fault_order(answer.headers[ORDER].encode()).milliseconds == 200
    assert told(answer) == "fault.error"


def test_a_payment_is_rejected_with_the_given_reason(desk: BankDesk) -> None:
    """For so many payments; counted in the transaction that rejects, so that one rolled back is not spent."""
    set_fault(desk, kind="reject-payment", path="/v1/payments/{product}", reason="AC04", text="closed for tests", calls=1)
    faults, database = desk.bank.services.test_data.faults, desk.bank.database

    with database.writing() as connection:
        assert faults.rejection(connection, TENANT, path="/v1/bulk-payments/sepa-credit-transfers") is None
        assert faults.rejection(connection, OTHER_TENANT, path=PAYMENTS) is None
        assert faults.rejection(connection, TENANT, path=PAYMENTS) == Rejection("AC04", "closed for tests")
        connection.rollback()
    with database.writing() as connection:
        assert faults.rejection(connection, TENANT, path=PAYMENTS) is not None
    with database.writing() as connection:
        assert faults.rejection(connection, TENANT, path=PAYMENTS) is None


def test_a_rejection_without_a_text_says_whose_it_is(desk: BankDesk) -> None:
    """Whoever reads the payment's status sees that it was asked for."""
    set_fault(desk, kind="reject-payment", path="/v1/payments/{product}", reason="AC04")
    payment = desk.payment()

    desk.decide(desk.begin("pis", payment))

    told: Any = desk.tpp.get(f"{PAYMENTS}/{payment}/status", Accept="application/json").json
    assert (told["reasonCode"], told["psuMessage"]) == ("AC04", "Rejected: a fault that this TPP has set rejects the payment")


def test_faults_of_one_tenant_touch_no_other(desk: BankDesk) -> None:
    """Nor can another see or clear them."""
    fault = set_fault(desk, **BUSY)
    stranger = Tpp(desk.app.test_client(), tenant=OTHER_TENANT)

    assert ask(desk, stranger).status_code == 201
    assert stranger.get(FAULTS).json == {"faults": []}
    assert stranger.get(f"{FAULTS}/{fault['id']}").status_code == 404
    assert stranger.delete(f"{FAULTS}/{fault['id']}").status_code == 404
    assert stranger.delete(FAULTS).json == {"cleared": 0}
    assert ask(desk).status_code == 500


def test_what_sets_faults_has_none(desk: BankDesk) -> None:
    """However wide a fault is, `/sandbox/v1` answers, and clears it."""
    fault = set_fault(desk, kind="error", path="/v1/**", status=503, code="INTERNAL_SERVER_ERROR")

    assert desk.tpp.get(FAULTS).status_code == 200
    assert desk.tpp.get(f"{FAULTS}/{fault['id']}").status_code == 200
    assert desk.tpp.delete(f"{FAULTS}/{fault['id']}").status_code == 204
    assert desk.tpp.delete(f"{FAULTS}/{fault['id']}").status_code == 404
    assert ask(desk).status_code == 201


def test_all_are_cleared_at_once(desk: BankDesk) -> None:
    set_fault(desk, **BUSY)
    set_fault(desk, **BUSY)

    assert desk.tpp.delete(FAULTS).json == {"cleared": 2}
    assert ask(desk).status_code == 201


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"kind": "explode"}, ["kind"]),
        ({"method": "BREW"}, ["method"]),
        ({"path": "/sandbox/v1/data"}, ["path"]),
        ({"path": "/internal/tenants/x"}, ["path"]),
        ({"status": 200}, ["status"]),
        ({"status": None}, ["status"]),
        ({"code": "TEAPOT"}, ["code"]),
        ({"rate": 0}, ["rate"]),
        ({"rate": 1.5}, ["rate"]),
        ({"calls": 0}, ["calls"]),
        ({"milliseconds": 5}, ["milliseconds"]),
        ({"kind": "latency"}, ["milliseconds", "status"]),
        ({"kind": "latency", "milliseconds": 60_001, "status": None}, ["milliseconds"]),
        ({"kind": "reject-payment", "status": None, "reason": "ac04"}, ["reason"]),
        ({"kind": "reject-payment", "method": "GET", "status": None, "reason": "AC04"}, ["method"]),
        ({"colour": "blue"}, ["colour"]),
    ],
)
def test_a_wrong_member_is_named(desk: BankDesk, change: dict[str, object], fields: list[str]) -> None:
    answer = desk.tpp.post(FAULTS, BUSY | change)

    assert answer.status_code == 422, answer.text
    assert sorted(answer.json["fields"]) == fields  # type: ignore[index]
    assert desk.tpp.get(FAULTS).json == {"faults": []}


def test_there_are_so_many_faults(desk: BankDesk) -> None:
    for _ in range(MOST_FAULTS):
        set_fault(desk, **BUSY)

    answer = desk.tpp.post(FAULTS, BUSY)

    assert (answer.status_code, answer.json["code"]) == (409, "fault.limit")  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "template", "fits"),
    [
        ("/v1/accounts", "/v1/accounts", True),
        ("/v1/accounts/1", "/v1/accounts", False),
        ("/v1/accounts/1/balances", "/v1/accounts/{account-id}/balances", True),
        ("/v1/accounts/1/transactions", "/v1/accounts/{account-id}/balances", False),
        ("/v1/accounts//balances", "/v1/accounts/{account-id}/balances", False),
        ("/v1/payments/x/1/status", "/v1/payments/**", True),
        ("/v1/payments", "/v1/payments/**", True),
        ("/v1/paymentsx", "/v1/payments/**", False),
        ("/v2/consents", "/v1/**", False),
    ],
)
def test_a_path_fits_its_template(path: str, template: str, *, fits: bool) -> None:
    assert is_template(template)
    assert is_of_template(path, template) is fits


def test_a_rate_is_spread_evenly_and_comes_out_the_same() -> None:
    assert sum(strikes(0.1, number) for number in range(1, 1_001)) == 100
    assert [number for number in range(1, 9) if strikes(0.25, number)] == [4, 8]
    assert all(strikes(1.0, number) for number in range(1, 50))


@pytest.mark.parametrize("value", [b"", b"delay=99999", b"delay=-1", b"drop", b"delay=1; drop; x"], ids=str)
def test_an_order_that_no_bank_writes_is_none(value: bytes) -> None:
    with pytest.raises(UnreadableOrder):
        read_fault_order(value)
