"""Reading pain.001: every fault is named by element and line, and nothing in the XML reaches out or blows up (BG IG §5.3.2)."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from bank_backend.errors import BankError, FormatError
from bank_backend.payments.pain.reading import PainPlaces, instruction_of, read_message
from bank_backend.payments.products import PRODUCTS
from bank_backend.payments.rules import require_rules
from bank_backend.personalities.model import PaymentService
from psd2.money import Money
from tests.support.bank_payments import NEW_PAIN, OLD_PAIN, TODAY, pain
from tests.support.bank_sca import ELSEWHERE

if TYPE_CHECKING:
    from bank_backend.payments.instruction import Instruction

DEBTOR = "DE89370400440532013000"
NOW = datetime(2026, 11, 18, 10, 26, tzinfo=UTC)
INITIATION = "/Document/CstmrCdtTrfInitn"
TRANSFER = f"{INITIATION}/PmtInf[1]/CdtTrfTxInf[1]"


def read(
    document: str, service: PaymentService = PaymentService.PAYMENTS, product: str = "sepa-credit-transfers"
) -> Instruction:
    message = read_message(document)
    instruction = instruction_of(message, service)
    require_rules(instruction, PRODUCTS[f"pain.001-{product}"].scheme, PainPlaces(message), NOW)
    return instruction


def bent(old: str, new: str, *amounts: str, version: str = OLD_PAIN) -> str:
    """Return a message that is wrong in one place."""
    document = pain(DEBTOR, *amounts, version=version)
    assert old in document
    return document.replace(old, new, 1)


def refused(document: str, service: PaymentService = PaymentService.PAYMENTS) -> BankError:
    with pytest.raises(BankError) as error:
        read(document, service)
    return error.value


@pytest.mark.parametrize("version", [OLD_PAIN, NEW_PAIN])
def test_a_message_is_read(version: str) -> None:
    """Both versions say the same, each in its own elements."""
    instruction = read(pain(DEBTOR, "12.50", version=version))

    (transfer,) = instruction.transfers
    assert (instruction.debtor.iban, instruction.execution_date) == (DEBTOR, TODAY)
    assert (transfer.creditor.iban, transfer.creditor_name, transfer.amount) == (
        ELSEWHERE,
        "Buchhandlung am Markt",
        Money(1250, "EUR"),
    )
    assert (transfer.remittance, transfer.end_to_end_id, transfer.creditor_agent) == (
        "Rechnung 2026-4711",
        "E2E-0",
        "PBNKDEFFXXX",
    )


def test_several_transfers_are_a_bulk() -> None:
    """BG IG §5.3.3.2."""
    instruction = read(pain(DEBTOR, "1.00", "2.00", "3.00"), PaymentService.BULK)

    assert [transfer.amount.minor for transfer in instruction.transfers] == [100, 200, 300]


def test_a_second_transfer_is_no_single_payment() -> None:
    """BG IG §5.3.2: the message may only contain one."""
    error = refused(pain(DEBTOR, "1.00", "2.00"))

    assert error.path == f"{INITIATION}/PmtInf[1]/CdtTrfTxInf[2]"
    assert "/v1/bulk-payments" in error.text


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("<MsgId>MSG-1</MsgId>", "", f"{INITIATION}/GrpHdr/MsgId"),
        ("<MsgId>MSG-1</MsgId>", f"<MsgId>{'x' * 36}</MsgId>", f"{INITIATION}/GrpHdr/MsgId"),
        ("<CreDtTm>2026-11-18T09:00:00Z</CreDtTm>", "<CreDtTm>now</CreDtTm>", f"{INITIATION}/GrpHdr/CreDtTm"),
        ("<NbOfTxs>1</NbOfTxs>", "<NbOfTxs>one</NbOfTxs>", f"{INITIATION}/GrpHdr/NbOfTxs"),
        ("<NbOfTxs>1</NbOfTxs>", "<NbOfTxs>2</NbOfTxs>", f"{INITIATION}/GrpHdr/NbOfTxs"),
        ("</NbOfTxs>", "</NbOfTxs><CtrlSum>12.49</CtrlSum>", f"{INITIATION}/GrpHdr/CtrlSum"),
        ("<PmtMtd>TRF</PmtMtd>", "<PmtMtd>CHK</PmtMtd>", f"{INITIATION}/PmtInf[1]/PmtMtd"),
        ("2026-11-18</ReqdExctnDt>", "18.11.2026</ReqdExctnDt>", f"{INITIATION}/PmtInf[1]/ReqdExctnDt"),
        ("2026-11-18</ReqdExctnDt>", "2026-11-17</ReqdExctnDt>", f"{INITIATION}/PmtInf[1]/ReqdExctnDt"),
        (f"<IBAN>{DEBTOR}</IBAN>", "<IBAN>DE89370400440532013001</IBAN>", f"{INITIATION}/PmtInf[1]/DbtrAcct/Id/IBAN"),
        (f"<IBAN>{DEBTOR}</IBAN>", "<Othr><Id>123</Id></Othr>", f"{INITIATION}/PmtInf[1]/DbtrAcct/Id/IBAN"),
        ("<ChrgBr>SLEV</ChrgBr>", "<ChrgBr>DEBT</ChrgBr>", f"{INITIATION}/PmtInf[1]/ChrgBr"),
        ("<ChrgBr>SLEV</ChrgBr>", "<ChrgBr>NONE</ChrgBr>", f"{INITIATION}/PmtInf[1]/ChrgBr"),
        ("<EndToEndId>E2E-0</EndToEndId>", "", f"{TRANSFER}/PmtId/EndToEndId"),
        ('Ccy="EUR">12.50<', 'Ccy="EUR">12.505<', f"{TRANSFER}/Amt/InstdAmt"),
        ('Ccy="EUR">12.50<', 'Ccy="EUR">-12.50<', f"{TRANSFER}/Amt/InstdAmt"),
        ('Ccy="EUR">12.50<', 'Ccy="EUR">0<', f"{TRANSFER}/Amt/InstdAmt"),
        ('Ccy="EUR">12.50<', 'Ccy="USD">12.50<', f"{TRANSFER}/Amt/InstdAmt/@Ccy"),
        ('<InstdAmt Ccy="EUR">', "<InstdAmt>", f"{TRANSFER}/Amt/InstdAmt/@Ccy"),
        ('<InstdAmt Ccy="EUR">', '<InstdAmt Ccy="EUR" Hint="x">', f"{TRANSFER}/Amt/InstdAmt/@Hint"),
        (ELSEWHERE, DEBTOR, f"{TRANSFER}/CdtrAcct/Id/IBAN"),
        (ELSEWHERE, "DE02100100109307118604", f"{TRANSFER}/CdtrAcct/Id/IBAN"),
        ("<BIC>PBNKDEFFXXX</BIC>", "<BIC>nobic</BIC>", f"{TRANSFER}/CdtrAgt/FinInstnId/BIC"),
        ("<BIC>PBNKDEFFXXX</BIC>", "<BICFI>PBNKDEFFXXX</BICFI>", f"{TRANSFER}/CdtrAgt/FinInstnId/BICFI"),
        ("<Cdtr><Nm>Buchhandlung am Markt</Nm></Cdtr>", "<Cdtr/>", f"{TRANSFER}/Cdtr/Nm"),
        ("Buchhandlung am Markt", "x" * 71, f"{TRANSFER}/Cdtr/Nm"),
        ("Buchhandlung am Markt", "Shop \N{RIGHT-TO-LEFT OVERRIDE}02 EBAN", f"{TRANSFER}/Cdtr/Nm"),
        ("<Ustrd>Rechnung 2026-4711</Ustrd>", f"<Ustrd>{'x' * 141}</Ustrd>", f"{TRANSFER}/RmtInf/Ustrd"),
        ("</Ustrd>", "</Ustrd><Strd><CdtrRefInf><Ref>R</Ref></CdtrRefInf></Strd>", f"{TRANSFER}/RmtInf/Strd"),
        ("<RmtInf>", "<Purp><Cd>goods</Cd></Purp><RmtInf>", f"{TRANSFER}/Purp/Cd"),
        ("<RmtInf>", "<Purp><Prtry>Goods</Prtry></Purp><RmtInf>", f"{TRANSFER}/Purp/Prtry"),
        ("</RmtInf>", "</RmtInf><RgltryRptg/>", f"{TRANSFER}/RgltryRptg"),
        ("<Amt>", "<Amt>text", f"{TRANSFER}/Amt"),
        ("<EndToEndId>E2E-0", "<EndToEndId><b/>E2E-0", f"{TRANSFER}/PmtId/EndToEndId"),
    ],
)
def test_each_fault_is_named_by_its_element(old: str, new: str, path: str) -> None:
    """Each message is wrong in exactly one way."""
    assert refused(bent(old, new)).path == path


def test_a_fault_tells_its_line() -> None:
    """Counted as an editor counts."""
    document = bent("<BIC>PBNKDEFFXXX</BIC>", "<BIC>nobic</BIC>")
    line = next(number for number, text in enumerate(document.splitlines(), 1) if "nobic" in text)

    assert re.search(rf"BIC in line {line} is wrong", refused(document).text)


def test_elements_have_an_order() -> None:
    """ISO 20022 messages are sequences."""
    error = refused(bent("<PmtMtd>TRF</PmtMtd>", "", "1.00").replace("<Dbtr>", "<PmtMtd>TRF</PmtMtd><Dbtr>", 1))

    assert error.path == f"{INITIATION}/PmtInf[1]/PmtMtd"
    assert "too late" in error.text


def test_all_faults_are_told_at_once() -> None:
    """Up to ten, each with its place."""
    document = bent("<MsgId>MSG-1</MsgId>", "").replace("nobic", "").replace("<PmtMtd>TRF", "<PmtMtd>CHK")
    error = refused(document)

    assert isinstance(error, FormatError)
    assert [each.path for each in (error, *error.others)] == [f"{INITIATION}/GrpHdr/MsgId", f"{INITIATION}/PmtInf[1]/PmtMtd"]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("", "empty"),
        ("no markup", "is no XML"),
        ("<Document>", "is no XML"),
        ("<Document/>", "no namespace"),
        (pain(DEBTOR).replace(OLD_PAIN, "pain.001.001.02"), "pain.001.001.03"),
        (pain(DEBTOR).replace("<MsgId>MSG-1</MsgId>", '<x:MsgId xmlns:x="urn:x">MSG-1</x:MsgId>'), "another namespace"),
        ("<Document>" + "<a>" * 30 + "</a>" * 30 + "</Document>", "levels deep"),
        ("<Document>" + "<a>" * 900 + "</a>" * 900 + "</Document>", "levels deep"),
        ("<Document>" + "<a/>" * 30_000 + "</Document>", "elements"),
        (f"<!DOCTYPE Document>{pain(DEBTOR).partition('?>')[2]}", "document type declaration"),
        (pain(DEBTOR).replace("MSG-1", "\N{REPLACEMENT CHARACTER}"), "lost on its way"),
    ],
    ids=["empty", "text", "open", "namespace", "version", "mixed", "deep", "deepest", "many", "doctype", "lost"],
)
def test_what_is_no_message_is_said_to_be_none(document: str, words: str) -> None:
    """In words that say what to do."""
    assert words in refused(document).text


@pytest.mark.parametrize(
    "entity",
    [
        '<!ENTITY e SYSTEM "file:///etc/hostname">',
        '<!ENTITY e "lol">',
        '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;',
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY e "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">',
    ],
    ids=["file", "internal", "network", "laughs"],
)
def test_entities_open_nothing(entity: str) -> None:
    """A document type is refused before anything is parsed (XXE, billion laughs)."""
    document = pain(DEBTOR).partition("?>")[2].replace("Buchhandlung am Markt", "&e;")

    assert "document type declaration" in refused(f"<!DOCTYPE Document [{entity}]>{document}").text


def test_an_undeclared_entity_is_no_xml() -> None:
    """Nothing stands for anything else."""
    assert "is no XML" in refused(pain(DEBTOR).replace("Buchhandlung am Markt", "&nbsp;")).text


def test_a_tag_of_thousands_of_attributes_is_refused_at_once() -> None:
    """Reading them one by one took seconds of a worker."""
    attributes = " ".join(f'a{number}="1"' for number in range(20_000))
    began = time.process_time()

    assert "more than 20 attributes" in refused(f"<Document {attributes}/>").text
    assert time.process_time() - began < 1


def test_comments_and_schema_hints_say_nothing() -> None:
    """They are in many messages; a comment inside a text joins what stands around it."""
    hinted = pain(DEBTOR).replace(
        "<Document ", '<Document xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" ', 1
    )

    assert read(hinted.replace("MSG-1", "MSG<!-- not -->-1")) == read(pain(DEBTOR))


def test_a_structured_reference_is_the_remittance() -> None:
    """An RF reference reaches the payee."""
    reference = "<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>RF18539007547034</Ref></CdtrRefInf></Strd>"
    instruction = read(bent("<Ustrd>Rechnung 2026-4711</Ustrd>", reference))

    assert instruction.transfers[0].remittance == "RF18539007547034"


def test_a_new_message_may_name_a_moment() -> None:
    """pain.001.001.09: a date or a time."""
    instruction = read(bent("<Dt>2026-11-18</Dt>", "<DtTm>2026-11-20T10:00:00+01:00</DtTm>", version=NEW_PAIN))

    assert (instruction.execution_date, instruction.execution_time) == (None, datetime(2026, 11, 20, 9, 0, tzinfo=UTC))


def test_the_most_transfers_are_read_and_one_more_is_not() -> None:
    """200."""
    assert len(read(pain(DEBTOR, *["0.01"] * 200), PaymentService.BULK).transfers) == 200
    error = refused(pain(DEBTOR, *["0.01"] * 201), PaymentService.BULK)
    assert error.path == f"{INITIATION}/PmtInf[1]/CdtTrfTxInf[201]"


def test_a_control_sum_that_is_right_is_taken() -> None:
    """Exact to the last digit, however it is written."""
    document = bent("</NbOfTxs>", "</NbOfTxs><CtrlSum>3.3</CtrlSum>", "1.10", "2.20")

    assert read(document, PaymentService.BULK).totals == (Money(330, "EUR"),)


def test_a_day_may_carry_a_time_zone() -> None:
    """XML Schema lets it; it says nothing about a day of the bank."""
    assert read(bent("2026-11-18</ReqdExctnDt>", "2026-11-19+01:00</ReqdExctnDt>")).execution_date == date(2026, 11, 19)
