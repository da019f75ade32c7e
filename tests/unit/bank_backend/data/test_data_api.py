"""Test data: reset, generated, taken out and brought in."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from typing import Any

import orjson
import pytest

from bank_backend.data.lines import FILES
from bank_backend.data.reading import MOST_BYTES
from psd2.ids import PsuId
from psd2.money import Money
from tests.support.bank_core import ANNA, NOW, OTHER_TENANT, TENANT
from tests.support.bank_sca import PORTAL, BankDesk, Tpp
from tests.support.small_data import DATA, SMALL, bring_in, bring_in_json, exported
from tests.unit.bank_backend.ledger.orders import book, order


def changed(file: str, place: int, **change: object) -> dict[str, list[dict[str, Any]]]:
    """Return the small data set with one line changed; None takes a column out."""
    lines = {name: [dict(line) for line in each] for name, each in SMALL.items()}
    lines[file][place] = {name: value for name, value in {**lines[file][place], **change}.items() if value is not None}
    return lines


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.parametrize("wanted", ["json", "csv"])
def test_what_was_taken_out_is_brought_in_again_exactly(desk: BankDesk, wanted: str) -> None:
    """Export, reset, import, export: not a byte differs, ids of accounts and movements included."""
    payment = desk.payment()
    assert desk.decide(desk.begin("pis", payment)).status_code == 200
    account = desk.bank.account(ANNA)
    # What payments may say: a family in one sign, a blank that doesn't break, a number that is no IBAN.
    name = "\N{MAN}\N{ZERO WIDTH JOINER}\N{GIRL} Caf\xe9\xa0Sol"
    book(desk.bank, order(account, Money(100, "EUR"), creditor_iban="000123456789", creditor_name=name))
    book(desk.bank, order(account, Money(1_000, "USD"), creditor_iban=desk.iban(PsuId("lucia.moretti"), 1)))
    before = exported(desk, wanted)
    assert desk.tpp.post(f"{DATA}/reset", {"seed": 99}).status_code == 200
    assert exported(desk, wanted) != before

    answer = bring_in(desk, before, "application/json" if wanted == "json" else "application/zip")

    assert answer.status_code == 200, answer.text
    assert exported(desk, wanted) == before
    assert desk.bank.account(ANNA) == account
    with desk.bank.database.reading() as connection:
        assert desk.bank.services.ledger.reconcile(connection).is_right


def test_heavy_work_leaves_room_for_others(desk: BankDesk) -> None:
    """Half of a worker's four threads work on whole banks, or wait to; one more is told to come back, and the rest goes on."""
    room = desk.bank.services.heavy_work._room
    assert [room.acquire(blocking=False) for _ in range(3)] == [True, True, False]

    for method, path in (
        ("GET", "/data/export"),
        ("POST", "/data/import"),
        ("POST", "/data/reset"),
        ("POST", "/data/generate"),
        ("POST", "/snapshots"),
        ("POST", "/snapshots/any/restore"),
    ):
        refused = desk.tpp.call(method, f"/sandbox/v1{path}")
        assert (refused.status_code, refused.json["code"]) == (503, "bank.busy"), path  # type: ignore[index]
        assert refused.headers["Retry-After"] == "5"
    assert desk.tpp.get("/sandbox/v1/snapshots").status_code == 200
    assert desk.tpp.get(DATA).status_code == 200


def test_a_reset_makes_the_tenant_as_if_it_were_new(desk: BankDesk) -> None:
    """The same people with the same accounts and passwords; consents, payments, faults and the clock's lead are gone."""
    before = exported(desk)
    consent = desk.approved_consent()
    desk.payment()
    desk.tpp.post("/sandbox/v1/faults", {"kind": "error", "path": "/v2/**", "status": 500})
    desk.tpp.post("/sandbox/v1/clock/advance", {"by": "P30D"})

    answer = desk.tpp.post(f"{DATA}/reset")

    assert answer.status_code == 200, answer.text
    assert exported(desk) == before
    assert desk.tpp.get(f"/v1/consents/{consent}").status_code == 403
    assert desk.tpp.get("/sandbox/v1/faults").json == {"faults": []}
    assert desk.bank.services.clock.now(TENANT) == NOW
    desk.bank.services.psus.verify_password(TENANT, ANNA, desk.password)


def test_a_reset_on_the_day_of_registration_touches_only_what_differs(desk: BankDesk) -> None:
    """What is kept for it is nobody's snapshot."""
    before = exported(desk)
    payment = desk.payment()
    assert desk.decide(desk.begin("pis", payment)).status_code == 200
    desk.tpp.post("/sandbox/v1/clock/advance", {"by": "PT1H"})

    done: Any = desk.tpp.post(f"{DATA}/reset").json

    assert exported(desk) == before
    assert done["rowsRemoved"] < 50 < done["transactions"]
    assert desk.bank.services.clock.now(TENANT) == NOW
    assert desk.tpp.get("/sandbox/v1/snapshots").json == {"snapshots": []}


def test_a_reset_by_another_seed_tells_another_story(desk: BankDesk) -> None:
    """And stays with it."""
    before = exported(desk)

    assert desk.tpp.post(f"{DATA}/reset", {"seed": 7}).status_code == 200
    after = exported(desk)

    assert after != before
    assert desk.bank.services.tenants.tenant(TENANT).seed == 7
    desk.tpp.post(f"{DATA}/reset")
    assert exported(desk) == after


def test_little_data_is_brought_in(desk: BankDesk) -> None:
    """What is not told is the rule; a balance without transactions is brought forward."""
    answer = bring_in_json(desk, SMALL)

    assert answer.status_code == 200, answer.text
    assert {name: answer.json[name] for name in ("psus", "accounts", "transactions")} == {  # type: ignore[index]
        "psus": 2,
        "accounts": 2,
        "transactions": 4,
    }
    told: Any = desk.tpp.get(DATA).json
    assert [(one["psu"], len(one["accounts"])) for one in told["personas"]] == [("ada.byron", 2), ("charles", 1)]
    desk.bank.services.psus.verify_password(TENANT, "ada.byron", desk.password)
    lines = orjson.loads(exported(desk))
    assert [line["booked"] for line in lines["balances"]] == ["979.50", "-120.00"]
    assert lines["transactions"][2]["remittance"] == "Balance brought forward"


def test_it_comes_compressed_too(desk: BankDesk) -> None:
    answer = bring_in(desk, gzip.compress(orjson.dumps(SMALL)), **{"Content-Encoding": "gzip"})

    assert answer.status_code == 200, answer.text


CARD = {"masked_pan": "999900******0009"}
EXCHANGE = {"sourceCurrency": "EUR", "targetCurrency": "USD", "rateE8": 1, "quotationDate": "2026-01-01", "contract": "1"}
FAULTY: list[tuple[str, int, dict[str, Any], list[tuple[str, int, str]]]] = [
    ("psus", 0, {"psu": "Ada Byron"}, [("psus", 1, "psu")]),
    ("psus", 0, {"name": None}, [("psus", 1, "name")]),
    ("psus", 1, {"psu": "ada.byron"}, [("accounts", 2, "holders"), ("psus", 2, "psu")]),
    ("psus", 0, {"shoe": "42"}, [("psus", 1, "shoe")]),
    ("accounts", 0, {"iban": "DE02100100109307118604"}, [("accounts", 1, "iban")]),
    ("accounts", 0, {"currency": "EURO"}, [("accounts", 1, "currency")]),
    ("accounts", 0, {"holders": ["nobody"]}, [("accounts", 1, "holders")]),
    ("accounts", 1, {"creditLimit": "5.001"}, [("accounts", 2, "creditLimit")]),
    ("accounts", 1, {"creditLimit": "100.00"}, [("accounts", 2, "creditLimit")]),
    ("accounts", 1, {"status": "sleepy"}, [("accounts", 2, "status")]),
    ("accounts", 1, {"billingDay": 5}, [("accounts", 2, "billingDay")]),
    ("accounts", 1, {"pan": "9999000000000009"}, [("accounts", 2, "pan")]),
    ("transactions", 0, {"amount": "ten"}, [("transactions", 1, "amount")]),
    ("transactions", 0, {"amount": "0.00"}, [("transactions", 1, "amount")]),
    ("transactions", 0, {"bookingDate": "2026-11-31"}, [("transactions", 1, "bookingDate")]),
    ("transactions", 0, {"bookingDate": "2026-11-19"}, [("transactions", 1, "bookingDate")]),
    ("transactions", 0, {"bookingDate": None}, [("transactions", 1, "bookingDate")]),
    ("transactions", 0, {"account": "DE44500105175407324931"}, [("transactions", 1, "account")]),
    ("transactions", 0, {"currency": "USD"}, [("transactions", 1, "account")]),
    ("transactions", 0, {"code": "LUNCH"}, [("transactions", 1, "code")]),
    ("transactions", 0, {"remittance": "two\nlines"}, [("transactions", 1, "remittance")]),
    ("transactions", 0, {"particulars": {"shoe": {}, "card": 1}}, [("transactions", 1, "particulars")]),
    ("transactions", 0, {"particulars": {"purpose": "SA\x01LA"}}, [("transactions", 1, "particulars")]),
    ("transactions", 0, {"particulars": {"purpose": ["SALA"]}}, [("transactions", 1, "particulars")]),
    ("transactions", 0, {"particulars": {"batch_size": "two"}}, [("transactions", 1, "particulars")]),
    ("transactions", 0, {"particulars": {"batch": [{"amount_minor": "1"}]}}, [("transactions", 1, "particulars")]),
    ("transactions", 0, {"particulars": {"batch": [{"amount_minor": -1}] * 201}}, [("transactions", 1, "particulars")]),
    ("transactions", 0, {"particulars": {"card": CARD | {"markup_percent": "NaN"}}}, [("transactions", 1, "particulars")]),
    ("transactions", 0, {"particulars": {"card": CARD | {"original": [1.5, "EUR"]}}}, [("transactions", 1, "particulars")]),
    ("transactions", 0, {"particulars": {"card": CARD | {"original": [10**18, "EUR"]}}}, [("transactions", 1, "particulars")]),
    ("transactions", 0, {"exchange": EXCHANGE | {"rateE8": 2**63}}, [("transactions", 1, "exchange")]),
    ("transactions", 0, {"at": "0001-01-01T00:00:00+14:00"}, [("transactions", 1, "at")]),
    ("transactions", 0, {"exchange": EXCHANGE | {"rateE8": 0}}, [("transactions", 1, "exchange")]),
    ("transactions", 0, {"exchange": EXCHANGE | {"contract": {"a": 1}}}, [("transactions", 1, "exchange")]),
    ("transactions", 0, {"exchange": EXCHANGE | {"sourceCurrency": "EU\x01"}}, [("transactions", 1, "exchange")]),
    ("balances", 0, {"booked": "1.00"}, [("balances", 1, "booked")]),
    ("balances", 0, {"available": "1.00"}, [("balances", 1, "available")]),
]


@pytest.mark.parametrize(("file", "place", "change", "where"), FAULTY)
def test_each_faulty_line_is_named(
    little: BankDesk, file: str, place: int, change: dict[str, object], where: list[tuple[str, int, str]]
) -> None:
    """File, line and column, with what is wrong; and nothing was imported."""
    before = exported(little)

    answer = bring_in_json(little, changed(file, place, **change))

    assert answer.status_code == 422, answer.text
    body: Any = answer.json
    assert body["code"] == "data.lines"
    found = {(one["file"], one["line"], one["column"]) for one in body["errors"]}
    assert found >= set(where)
    assert all(one["text"] for one in body["errors"])
    assert exported(little) == before


def test_all_faulty_lines_are_named_at_once(little: BankDesk) -> None:
    """Whatever is wrong with each."""
    document = changed("psus", 0, name=None)
    document["accounts"][1]["currency"] = "EURO"
    document["transactions"][0]["amount"] = "ten"
    document["transactions"][1]["bookingDate"] = "yesterday"

    body: Any = bring_in_json(little, document).json

    assert body["count"] == 4
    assert {(one["file"], one["column"]) for one in body["errors"]} == {
        ("psus", "name"),
        ("accounts", "currency"),
        ("transactions", "amount"),
        ("transactions", "bookingDate"),
    }


def test_a_line_of_a_csv_file_is_the_line_that_an_editor_shows(little: BankDesk) -> None:
    """The header is line 1; a quoted line break counts."""
    text = 'psu,name,purpose\r\nada.byron,Ada,"one\ntwo"\r\nAda,Ada,\r\n'

    body: Any = bring_in(little, zipped({"psus.csv": text}), "application/zip").json

    assert {(one["file"], one["line"], one["column"]) for one in body["errors"]} == {("psus", 3, "purpose"), ("psus", 4, "psu")}


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({"psus.csv": "psu,name,shoe\r\n"}, 1),
        ({"psus.csv": "psu,psu,name\r\n"}, 1),
        ({"psus.csv": "psu,name\r\nada\r\n"}, 2),
        ({"psus.csv": 'psu,name\r\nada,"Ada\r\n'}, 2),
    ],
)
def test_a_file_that_is_no_csv_is_told_by_its_line(little: BankDesk, files: dict[str, str], line: int) -> None:
    body: Any = bring_in(little, zipped(files), "application/zip").json

    assert body["code"] == "data.lines"
    assert body["errors"][0]["line"] >= line


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"psus": {}}', "application/json", 400),
        (b'{"people": []}', "application/json", 400),
        (b"PK", "application/zip", 400),
        (zipped({"../psus.csv": ""}), "application/zip", 400),
        (b"psu,name", "text/csv", 400),
        (orjson.dumps({"psus": [{}] * 201}), "application/json", 413),
        (b" " * (MOST_BYTES + 1), "application/json", 413),
        (zipped({"psus.csv": "x" * (33 * 1024 * 1024)}), "application/zip", 413),
    ],
    ids=["cut", "list", "object", "unknown", "no-zip", "folder", "text", "many", "large", "bomb"],
)
def test_what_can_not_be_read_is_refused(little: BankDesk, body: bytes, content_type: str, status: int) -> None:
    """In one sentence, and nothing has changed."""
    before = exported(little)

    answer = bring_in(little, body, content_type)

    assert answer.status_code == status, answer.text
    assert exported(little) == before


def test_an_archive_that_can_not_be_unpacked_is_refused(little: BankDesk) -> None:
    """Whole to look at, with compressed data that say nothing."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("psus.csv", "psu,name\r\n" * 100)
    spoilt = bytearray(buffer.getvalue())
    spoilt[38] = 0xFF

    assert bring_in(little, bytes(spoilt), "application/zip").status_code == 400


def test_an_object_nested_without_end_is_refused(little: BankDesk) -> None:
    deep = b'{"a":' * 300 + b"1" + b"}" * 300

    assert bring_in(little, b'{"transactions": [{"particulars": ' + deep + b"}]}").status_code == 400


def test_an_export_is_of_ones_own_tenant(desk: BankDesk) -> None:
    """The portal gets any tenant's, a TPP its own."""
    stranger = Tpp(desk.app.test_client(), tenant=OTHER_TENANT)
    mine, theirs = orjson.loads(exported(desk)), stranger.get(f"{DATA}/export").json

    ids = [{line["id"] for line in lines["transactions"]} for lines in (mine, theirs)]  # type: ignore[index]
    assert ids[0]
    assert not ids[0] & ids[1]
    answer = desk.app.test_client().get(f"/internal/tenants/{OTHER_TENANT}/data/export", environ_overrides=PORTAL)
    assert answer.json == theirs


def test_ids_of_another_tenant_are_not_given_twice(desk: BankDesk) -> None:
    """What one TPP has exported another brings in by leaving the ids out; with them it is told, and gets nothing."""
    document = orjson.loads(exported(desk))
    stranger = Tpp(desk.app.test_client(), tenant=OTHER_TENANT)
    before = stranger.get(f"{DATA}/export").data

    answer = stranger.post(f"{DATA}/import", document)

    assert answer.status_code == 422
    assert {one["column"] for one in answer.json["errors"]} == {"id"}  # type: ignore[index]
    assert stranger.get(f"{DATA}/export").data == before
    document["transactions"] = [{k: v for k, v in line.items() if k != "id"} for line in document["transactions"]]
    assert stranger.post(f"{DATA}/import", document).status_code == 200


def test_the_csv_files_open_in_a_spreadsheet(desk: BankDesk) -> None:
    """A header, one line for each thing, UTF-8; nothing that it would calculate, which an international number would be."""
    with zipfile.ZipFile(io.BytesIO(exported(desk, "csv"))) as archive:
        assert archive.namelist() == [f"{name}.csv" for name in FILES]
        psus = list(csv.DictReader(io.StringIO(archive.read("psus.csv").decode("utf-8"), newline="")))

    assert psus[0]["psu"] == ANNA
    assert psus[0]["phone"].startswith("'+")
