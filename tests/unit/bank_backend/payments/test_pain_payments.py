"""pain.001 payments over HTTP: taken, told again as they came, reported as pain.002 (BG IG 1.3.8 §5.3.2 to §5.5)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from lxml import etree

from bank_backend.ledger.particulars import Particulars
from bank_backend.ledger.statements import StatementQuery
from tests.support.bank_core import ANNA, JONAS, TENANT
from tests.support.bank_payments import (
    BULK,
    CROSS_BORDER,
    INSTANT,
    NEW_PAIN,
    OLD_PAIN,
    PERIODIC,
    SEPA,
    SINGLE,
    TARGET_2,
    TODAY,
    Till,
    pain,
)
from tests.support.bank_sca import ELSEWHERE, refusal

REQUEST_ID = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"
ORDER = '{"startDate": "2026-12-01", "frequency": "Monthly", "executionRule": "preceding", "dayOfExecution": "01"}'


def sent(till: Till, service: str, document: str, product: str = SEPA, **headers: str) -> str:
    answer = till.send_pain(service, document, product, **headers)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


def parts(*pairs: tuple[str, str, str]) -> tuple[bytes, str]:
    """Return a multipart body and its content type."""
    fields = "".join(
        f'--AaaBbbCcc\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n\r\n{text}\r\n'
        for name, kind, text in pairs
    )
    return f"{fields}--AaaBbbCcc--\r\n".encode(), "multipart/form-data; boundary=AaaBbbCcc"


def send_order(till: Till, *pairs: tuple[str, str, str], **headers: str) -> Any:
    body, content_type = parts(*pairs)
    return till.desk.tpp.send(f"/v1/{PERIODIC}/pain.001-{SEPA}", body, content_type, **headers)


def order(till: Till, name: str = "json_standingorderType", text: str = ORDER) -> tuple[tuple[str, str, str], ...]:
    return ("xml_sct", "application/xml", pain(till.iban)), (name, "application/json", text)


def report(till: Till, path: str) -> etree._Element:
    answer = till.desk.tpp.get(f"{path}/status", Accept="application/xml")
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/xml"
    return etree.fromstring(answer.data)


def texts(root: etree._Element, name: str) -> list[str]:
    return [element.text or "" for element in root.iter(f"{{*}}{name}")]


@pytest.mark.parametrize("version", [OLD_PAIN, NEW_PAIN])
@pytest.mark.parametrize("product", [SEPA, INSTANT, TARGET_2, CROSS_BORDER])
def test_a_message_of_each_product_becomes_a_payment(till: Till, product: str, version: str) -> None:
    """Approved like any other, and booked."""
    document = pain(till.iban, version=version)
    bearer = document if product in {SEPA, INSTANT} else document.replace("SLEV", "SHAR")
    before = till.available()

    path = sent(till, SINGLE, bearer, product)

    assert till.approved(path) in {"ACSC", "ACCC"}
    assert till.available() < before
    assert till.is_reconciled()


def test_what_for_and_on_whose_behalf_stands_in_the_books(till: Till) -> None:
    """What JSON has no fields for is told with the transaction, to payer and payee (BG IG 1.3.8 §14.24)."""
    told = "<CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf>"
    document = (
        pain(till.iban)
        .replace(ELSEWHERE, till.desk.iban(JONAS))
        .replace("<Ustrd>Rechnung 2026-4711</Ustrd>", f"<Strd>{told}</Strd>")
        .replace("<RmtInf>", "<UltmtCdtr><Nm>Autorin</Nm></UltmtCdtr><Purp><Cd>GDDS</Cd></Purp><RmtInf>")
        .replace("<ChrgBr>", "<UltmtDbtr><Nm>Schulbibliothek</Nm></UltmtDbtr><ChrgBr>", 1)
    )

    assert till.approved(sent(till, SINGLE, document)) == "ACCC"

    for psu in (ANNA, JONAS):
        bank, account = till.desk.bank, till.desk.bank.account(psu)
        with bank.database.reading() as connection:
            query = StatementQuery(since=TODAY, until=TODAY)
            line = bank.services.statements.page(connection, TENANT, account.id, query).lines[0]
        assert line.details == Particulars(
            creditor_agent="PBNKDEFFXXX",
            purpose="GDDS",
            structured_reference="RF18539007547034",
            ultimate_creditor="Autorin",
            ultimate_debtor="Schulbibliothek",
        )


def test_the_message_is_told_again(till: Till) -> None:
    """BG IG §5.5: pain.001 objects are returned."""
    document = pain(till.iban)
    answer = till.desk.tpp.get(sent(till, SINGLE, document))

    assert answer.mimetype == "application/xml"
    assert answer.text == document.partition("?>")[2]


def test_the_report_names_message_and_payment(till: Till) -> None:
    """pain.002 of the same release: the original's ids, counts and status."""
    path = sent(till, SINGLE, pain(till.iban, version=NEW_PAIN))
    till.approve(path)

    root = report(till, path)

    assert etree.QName(root).namespace == "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
    assert texts(root, "OrgnlMsgId") == ["MSG-1"]
    assert texts(root, "OrgnlMsgNmId") == [NEW_PAIN]
    assert texts(root, "OrgnlPmtInfId") == ["PMT-1"]
    assert texts(root, "OrgnlEndToEndId") == ["E2E-0"]
    assert texts(root, "GrpSts") == texts(root, "PmtInfSts") == texts(root, "TxSts") == ["ACSC"]


def test_the_report_tells_of_each_transfer(till: Till) -> None:
    """Which was made, which was not, and why."""
    path = sent(till, BULK, pain(till.iban, "1.00", "9999999.00", "2.00"))

    assert till.approved(path) == "PART"

    root = report(till, path)
    assert texts(root, "GrpSts") == ["PART"]
    assert texts(root, "TxSts") == ["ACSC", "RJCT", "ACSC"]
    (reason,) = root.iter("{*}StsRsnInf")
    assert (texts(reason, "Cd"), texts(reason, "AddtlInf")) == (["AM04"], ["the debtor account does not cover the amount"])
    assert texts(root, "OrgnlInstrId") == ["I-0", "I-1", "I-2"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/xml"),
        ("*/*", "application/xml"),
        ("application/json", "application/json"),
        ("application/xml;q=0.5, application/json", "application/json"),
        ("application/xml, application/json;q=0.9", "application/xml"),
    ],
)
def test_the_status_comes_in_the_format_that_is_preferred(till: Till, accept: str, kind: str) -> None:
    """BG IG §5.4: both are offered, XML unless JSON is preferred."""
    path = sent(till, SINGLE, pain(till.iban))

    assert till.desk.tpp.get(f"{path}/status", Accept=accept).mimetype == kind


@pytest.mark.parametrize(
    ("suffix", "accept"),
    [("/status", "text/csv"), ("/status", "application/pdf"), ("", "application/json"), ("", "text/plain")],
)
def test_a_format_that_is_not_offered_is_refused(till: Till, suffix: str, accept: str) -> None:
    """406 REQUESTED_FORMATS_INVALID."""
    path = sent(till, SINGLE, pain(till.iban))

    assert refusal(till.desk.tpp.get(f"{path}{suffix}", Accept=accept)) == (406, "REQUESTED_FORMATS_INVALID", "Accept")


@pytest.mark.parametrize("suffix", ["", "/status"])
def test_a_json_payment_is_not_told_in_xml(till: Till, suffix: str) -> None:
    """It never was a message."""
    answer = till.desk.tpp.get(f"{till.single()}{suffix}", Accept="application/xml")

    assert refusal(answer) == (406, "REQUESTED_FORMATS_INVALID", "Accept")


def test_a_message_of_another_day_rests_until_then(till: Till) -> None:
    """ReqdExctnDt."""
    tomorrow = TODAY + timedelta(days=1)
    path = sent(till, SINGLE, pain(till.iban, day=tomorrow))

    assert till.approved(path) == "ACTC"
    till.pass_until(tomorrow)

    assert till.status(path) == "ACSC"


@pytest.mark.parametrize("name", ["json_standingorderType", "json_standingordermanagement"])
def test_a_standing_order_comes_in_two_parts(till: Till, name: str) -> None:
    """BG IG §5.3.4.2: what is paid as XML, when as JSON."""
    answer = send_order(till, *order(till, name))
    path = answer.headers["Location"]

    assert (answer.status_code, till.approved(path)) == (201, "ACTC")
    till.pass_until(date(2027, 1, 2))

    assert till.status(path) == "ACSP"
    assert texts(report(till, path), "GrpSts") == ["ACSP"]


def test_a_standing_order_is_told_again_in_two_parts(till: Till) -> None:
    """BG IG §5.5: a multipart message as the submission."""
    path = send_order(till, *order(till)).headers["Location"]

    answer = till.desk.tpp.get(path)

    assert answer.mimetype == "multipart/form-data"
    boundary = answer.mimetype_params["boundary"]
    told = [part for part in answer.text.split(f"--{boundary}") if "name=" in part]
    assert pain(till.iban).partition("?>")[2] in told[0]
    assert '"dayOfExecution":"1"' in told[1]
    again = till.desk.tpp.send(f"/v1/{PERIODIC}/pain.001-{SEPA}", answer.data, answer.headers["Content-Type"])
    assert again.status_code == 201


def test_each_part_has_to_be_there_once(till: Till) -> None:
    """And nothing else."""
    xml, json = order(till)

    assert refusal(send_order(till, xml)) == (400, "FORMAT_ERROR", "json_standingorderType")
    assert refusal(send_order(till, json)) == (400, "FORMAT_ERROR", "xml_sct")
    assert refusal(send_order(till, xml, xml, json)) == (400, "FORMAT_ERROR", "xml_sct")
    assert refusal(send_order(till, xml, json, ("more", "text/plain", "x"))) == (400, "FORMAT_ERROR", "more")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{}", "startDate"),
        ('{"startDate": "2026-12-01", "frequency": "Monthly", "colour": "blue"}', "colour"),
        ('{"startDate": "2025-12-01", "frequency": "Monthly"}', "startDate"),
    ],
)
def test_a_fault_of_the_order_is_named_as_json_names_it(till: Till, text: str, path: str) -> None:
    """The second part is JSON."""
    answer: Any = send_order(till, *order(till, text=text))

    assert answer.json["tppMessages"][0]["path"] == path


def test_a_fault_of_the_message_is_named_by_its_element(till: Till) -> None:
    """With its line, in the refusal that a TPP reads."""
    answer: Any = till.send_pain(SINGLE, pain(till.iban).replace("E2E-0", "x" * 36))

    assert refusal(answer) == (400, "FORMAT_ERROR", "/Document/CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[1]/PmtId/EndToEndId")
    assert "in line 19" in answer.json["tppMessages"][0]["text"]


def test_a_message_in_another_encoding_is_refused(till: Till) -> None:
    """UTF-8 is meant, whatever the declaration says."""
    document = pain(till.iban).replace("Markt", "M\N{LATIN SMALL LETTER A WITH DIAERESIS}rkt").encode("latin-1")
    answer: Any = till.desk.tpp.send(f"/v1/{SINGLE}/pain.001-{SEPA}", document, "application/xml")

    assert answer.status_code == 400
    assert "UTF-8" in answer.json["tppMessages"][0]["text"]


@pytest.mark.parametrize("service", [SINGLE, BULK])
def test_the_same_message_twice_is_one_payment(till: Till, service: str) -> None:
    """Under the same X-Request-ID; another message under it is refused."""
    headers = {"X_Request_ID": REQUEST_ID}

    paths = {sent(till, service, pain(till.iban), **headers) for _ in range(3)}

    assert len(paths) == 1
    assert refusal(till.send_pain(service, pain(till.iban, "12.51"), **headers))[0] == 400


def test_the_same_order_in_another_wrapping_is_one_payment(till: Till) -> None:
    """The boundary of the parts is chosen anew by every client."""
    body, content_type = parts(*order(till))
    headers = {"X_Request_ID": REQUEST_ID}
    path = f"/v1/{PERIODIC}/pain.001-{SEPA}"

    first = till.desk.tpp.send(path, body, content_type, **headers)
    second = till.desk.tpp.send(
        path, body.replace(b"AaaBbbCcc", b"DddEee"), content_type.replace("AaaBbbCcc", "DddEee"), **headers
    )

    assert first.headers["Location"] == second.headers["Location"]
