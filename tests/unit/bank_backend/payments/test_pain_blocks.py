"""Several `PmtInf` in one pain.001: one bulk, each block booked and reported as it says (BG IG 1.3.8 §5.3.3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from tests.support.bank_core import ANNA, JONAS
from tests.support.bank_payments import BULK, NEW_PAIN, SEPA, SINGLE, TODAY, pain
from tests.support.bank_sca import refusal

if TYPE_CHECKING:
    from tests.support.bank_payments import Till

INITIATION = "/Document/CstmrCdtTrfInitn"
BETWEEN = "</PmtInf><PmtInf>"
MUCH = "9999999.00"


def blocks(till: Till, *amounts: tuple[str, ...], batched: tuple[bool, ...] = ()) -> str:
    """Return a message with a block for each of these, named PMT-1 and so on."""
    messages = [pain(till.iban, *each, version=NEW_PAIN, number=sum(map(len, amounts))) for each in amounts]
    head, _, rest = messages[0].partition("<PmtInf>")
    written = []
    for place, message in enumerate(messages):
        wish = f"<BtchBookg>{str(batched[place]).lower()}</BtchBookg>" if batched else ""
        block = message.partition("<PmtInf>")[2].partition("</PmtInf>")[0]
        written.append(block.replace("PMT-1", f"PMT-{place + 1}").replace("</PmtMtd>", f"</PmtMtd>{wish}"))
    return f"{head}<PmtInf>{BETWEEN.join(written)}</PmtInf>{rest.partition('</PmtInf>')[2]}"


def sent(till: Till, document: str) -> str:
    answer = till.send_pain(BULK, document)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


def report(till: Till, path: str) -> etree._Element:
    return etree.fromstring(till.desk.tpp.get(f"{path}/status", Accept="application/xml").data)


def told(above: etree._Element, name: str) -> list[str | None]:
    return [one.text for one in above.iter("{*}" + name)]


def booked(till: Till) -> list[dict[str, Any]]:
    """Return what is on Anna's statement since today, the newest first."""
    consent, account = till.desk.approved_consent(), till.desk.bank.account(ANNA)
    address = f"/v1/accounts/{account.id}/transactions?bookingStatus=booked&dateFrom={TODAY}"
    answer: Any = till.desk.reader(consent).get(address, Consent_ID=consent).json
    return list(answer["transactions"]["booked"])


def test_each_block_is_booked_as_it_says(till: Till) -> None:
    """Two batches and two single entries; the PSU approves all of it once, and the books are right."""
    before = len(booked(till))
    message = blocks(till, ("1.00", "2.50"), ("3.00", "4.00"), ("5.00", "6.00"), batched=(True, False, True))

    assert till.approved(sent(till, message)) == "ACSC"

    listed = booked(till)
    assert len(listed) == before + 4
    sizes = {one["transactionAmount"]["amount"]: len(one.get("entryDetails", ())) for one in listed[:4]}
    assert sizes == {"-3.50": 2, "-3.00": 0, "-4.00": 0, "-11.00": 2}
    assert till.is_reconciled()


def test_the_report_tells_how_each_block_came_out(till: Till) -> None:
    """pain.002: one group, a status for each PmtInf with its reason, one for each transfer (BG IG §5.4)."""
    path = sent(till, blocks(till, ("1.00",), (MUCH,), ("2.00", MUCH)))
    assert told(report(till, path), "PmtInfSts") == ["RCVD", "RCVD", "RCVD"]

    assert till.approved(path) == "PART"

    root = report(till, path)
    assert told(root, "OrgnlPmtInfId") == ["PMT-1", "PMT-2", "PMT-3"]
    assert (told(root, "GrpSts"), told(root, "PmtInfSts")) == (["PART"], ["ACSC", "RJCT", "PART"])
    assert told(root, "TxSts") == ["ACSC", "RJCT", "ACSC", "RJCT"]
    second = list(root.iter("{*}OrgnlPmtInfAndSts"))[1]
    assert set(told(second, "Cd")) == {"AM04"}


def test_a_bulk_of_another_day_keeps_its_batches(till: Till) -> None:
    """What is executed later is read from the store: which batch each transfer is in was kept."""
    day = TODAY.replace(day=TODAY.day + 1)
    message = blocks(till, ("1.00",), ("2.00", "3.00"), batched=(False, True))
    path = sent(till, message.replace(f"{TODAY}</Dt>", f"{day}</Dt>"))
    assert till.approved(path) == "ACTC"

    till.pass_until(day)

    assert told(report(till, path), "PmtInfSts") == ["ACSC", "ACSC"]
    assert sorted(one.get("batchNumberOfTransactions", 0) for one in booked(till)[:2]) == [0, 2]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("2026-11-18</Dt>", "2026-11-20</Dt>", "PmtInf[2]/ReqdExctnDt"),
        ("PMT-2", "PMT-1", "PmtInf[2]/PmtInfId"),
        ("<ChrgBr>SLEV</ChrgBr>", "<ChrgBr>DEBT</ChrgBr>", "PmtInf[2]/ChrgBr"),
        ("</PmtMtd>", "</PmtMtd><NbOfTxs>2</NbOfTxs>", "PmtInf[2]/NbOfTxs"),
        ("</PmtMtd>", "</PmtMtd><CtrlSum>1.00</CtrlSum>", "PmtInf[2]/CtrlSum"),
        ('Ccy="EUR">2.00', 'Ccy="EUR">2.001', "PmtInf[2]/CdtTrfTxInf[1]/Amt/InstdAmt"),
    ],
)
def test_what_is_wrong_in_the_second_block_is_named_there(till: Till, old: str, new: str, path: str) -> None:
    """By its XPath."""
    first, second = blocks(till, ("1.00",), ("2.00",)).split(BETWEEN)
    assert old in second

    answer = till.send_pain(BULK, f"{first}{BETWEEN}{second.replace(old, new)}")

    assert refusal(answer) == (400, "FORMAT_ERROR", f"{INITIATION}/{path}")


def test_a_block_of_another_account_is_a_bulk_of_its_own(till: Till) -> None:
    """The bank restricts bulks to one debtor account (BG IG §5.3.3.2), and says so."""
    first, second = blocks(till, ("1.00",), ("2.00",)).split(BETWEEN)

    answer = till.send_pain(BULK, f"{first}{BETWEEN}{second.replace(till.iban, till.desk.iban(JONAS))}")

    assert refusal(answer) == (400, "FORMAT_ERROR", f"{INITIATION}/PmtInf[2]/DbtrAcct")
    assert "send it as a bulk of its own (BG IG 5.3.3.2)" in answer.text


def test_two_blocks_are_no_single_payment(till: Till) -> None:
    """BG IG §5.3.2: the message may only contain one payment."""
    answer = till.send_pain(SINGLE, blocks(till, ("1.00",), ("2.00",)), SEPA)

    assert refusal(answer) == (400, "FORMAT_ERROR", f"{INITIATION}/PmtInf[2]/CdtTrfTxInf[1]")


def test_the_most_transfers_are_counted_over_all_blocks(till: Till) -> None:
    """200, wherever they stand."""
    half = ("0.01",) * 100
    assert till.send_pain(BULK, blocks(till, half, half)).status_code == 201

    answer = till.send_pain(BULK, blocks(till, half, half, ("0.01",)))

    assert refusal(answer) == (400, "FORMAT_ERROR", f"{INITIATION}/PmtInf[3]/CdtTrfTxInf[1]")
