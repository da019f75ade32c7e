"""A pain.001 message read into an instruction (BG IG 1.3.8 §5.3.2, §5.3.3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from bank_backend.errors import FormatError
from bank_backend.ledger.particulars import Particulars
from bank_backend.payments.instruction import CreditorAccount, Instruction, Transfer
from bank_backend.payments.pain.grammar import read
from bank_backend.payments.pain.markup import read_markup
from bank_backend.payments.pain.schema import VERSIONS, message_grammar
from bank_backend.personalities.model import PaymentService
from bank_backend.references import AccountReference
from psd2.money import InvalidMoney, Money

if TYPE_CHECKING:
    from datetime import date, datetime

    from bank_backend.errors import BankError
    from bank_backend.payments.pain.grammar import Node
    from bank_backend.payments.recurrence import RecurrenceRule

_ADDRESS: Final = {
    "StrtNm": "streetName",
    "BldgNb": "buildingNumber",
    "TwnNm": "townName",
    "PstCd": "postCode",
    "Ctry": "country",
}
_NOT_PROVIDED: Final = "NOTPROVIDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A pain.001 message that the grammar allows. `version` is its name, such as pain.001.001.03."""

    version: str
    header: Node
    payment: Node

    @property
    def transactions(self) -> list[Node]:
        """Its transfers."""
        return self.payment.nodes("CdtTrfTxInf")


def read_message(document: str) -> Message:
    """Read a pain.001 message; raises `FormatError`, naming up to ten faults by their elements."""
    markup, namespace = read_markup(document.encode())
    if markup.name != "Document" or namespace not in VERSIONS:
        known = " or ".join(f"Document of {each}" for each in VERSIONS)
        text = f"the message is {markup.name[:40]} of {namespace[:80] or 'no namespace'}: this bank reads {known}"
        raise FormatError(text, path=f"/{markup.name[:40]}")
    version = VERSIONS[namespace]
    root = read(markup, message_grammar(version))
    (initiation,) = root.nodes("CstmrCdtTrfInitn")
    (header,), (payment,) = initiation.nodes("GrpHdr"), initiation.nodes("PmtInf")
    return Message(version=version, header=header, payment=payment)


def instruction_of(message: Message, service: PaymentService, rule: RecurrenceRule | None = None) -> Instruction:
    """Return what a message instructs; raises `FormatError`. The calendar of a periodic payment counts for its date."""
    _require_sums(message)
    _require_number(message, service)
    payment = message.payment
    is_bulk = service is PaymentService.BULK
    day, moment = (None, None) if rule is not None else _execution(payment)
    return Instruction(
        debtor=AccountReference(_debtor_iban(payment), payment.at("DbtrAcct/Ccy")),
        transfers=tuple(_transfer(each, payment) for each in message.transactions),
        is_bulk=is_bulk,
        batch_booking=payment.at("BtchBookg") if is_bulk else None,
        execution_date=day,
        execution_time=moment,
        rule=rule,
    )


def _require_sums(message: Message) -> None:
    """ISO 20022: what the header and the payment information sum up is what follows."""
    number = len(message.transactions)
    total = sum((each.at("Amt/InstdAmt") for each in message.transactions), start=Decimal(0))
    for node in (message.header, message.payment):
        for name, right in (("NbOfTxs", number), ("CtrlSum", total)):
            given = node.first(name)
            if given is not None and given.value != right:
                text = f"{name} in line {given.line} is {given.value}, and the transactions make {right}"
                raise FormatError(text, path=given.path)


def _require_number(message: Message, service: PaymentService) -> None:
    if service is not PaymentService.BULK and len(message.transactions) > 1:
        second = message.transactions[1]
        text = f"CdtTrfTxInf in line {second.line} is a second payment: send several to /v1/bulk-payments"
        raise FormatError(text, path=second.path)


def _execution(payment: Node) -> tuple[date | None, datetime | None]:
    chosen = payment.at("ReqdExctnDt") or payment.at("ReqdExctnDt/Dt")
    return chosen, payment.at("ReqdExctnDt/DtTm")


def _debtor_iban(payment: Node) -> str:
    iban = payment.at("DbtrAcct/Id/IBAN")
    if iban is None:
        node = payment.nearest("DbtrAcct/Id")
        text = f"Id in line {node.line} has no IBAN: this bank's accounts all have one"
        raise FormatError(text, path=f"{node.path}/IBAN")
    return str(iban)


def _transfer(node: Node, payment: Node) -> Transfer:
    end_to_end = node.at("PmtId/EndToEndId")
    return Transfer(
        creditor=CreditorAccount(
            iban=node.at("CdtrAcct/Id/IBAN") or "",
            bban=node.at("CdtrAcct/Id/Othr/Id") or "",
            currency=node.at("CdtrAcct/Ccy"),
        ),
        creditor_name=node.at("Cdtr/Nm"),
        amount=_amount(node),
        remittance=node.at("RmtInf/Ustrd") or node.at("RmtInf/Strd/CdtrRefInf/Ref"),
        end_to_end_id=None if end_to_end == _NOT_PROVIDED else end_to_end,
        creditor_agent=node.at("CdtrAgt/FinInstnId/BIC") or node.at("CdtrAgt/FinInstnId/BICFI"),
        creditor_agent_name=node.at("CdtrAgt/FinInstnId/Nm"),
        creditor_address=_address(node),
        charge_bearer=node.at("ChrgBr") or payment.at("ChrgBr"),
        particulars=_particulars(node, payment),
    )


def _particulars(node: Node, payment: Node) -> Particulars | None:
    said = Particulars(
        ultimate_debtor=node.at("UltmtDbtr/Nm") or payment.at("UltmtDbtr/Nm") or "",
        ultimate_creditor=node.at("UltmtCdtr/Nm") or "",
        purpose=node.at("Purp/Cd") or "",
        structured_reference=node.at("RmtInf/Strd/CdtrRefInf/Ref") or "",
    )
    return None if said == Particulars() else said


def _amount(node: Node) -> Money:
    amount = node.nearest("Amt/InstdAmt")
    try:
        # Decimal keeps the digits as they were written, so that too many are seen.
        return Money.parse(f"{amount.value:f}", amount.attribute)
    except InvalidMoney as error:
        raise FormatError(f"InstdAmt in line {amount.line} is wrong: {error}", path=amount.path) from None


def _address(node: Node) -> dict[str, str] | None:
    address = node.first("Cdtr/PstlAdr")
    if address is None:
        return None
    return {name: str(address.at(tag)) for tag, name in _ADDRESS.items() if address.at(tag) is not None}


class PainPlaces:
    """Names fields by the element that holds them and its line; those of a standing order by their JSON path."""

    def __init__(self, message: Message) -> None:
        """Look into this message."""
        self._message = message

    def fault(self, kind: type[BankError], text: str, field: str, transfer: int = 0) -> BankError:
        """Return the refusal of a field."""
        if field not in _PLACES:
            return kind(text, path=field)
        is_of_transfer, steps = _PLACES[field]
        above = self._message.transactions[transfer] if is_of_transfer else self._message.payment
        if field == "chargeBearer" and above.first(steps) is None:
            above = self._message.payment
        node = above.nearest(steps)
        path = f"{node.path}/@Ccy" if field == "instructedAmount.currency" else f"{above.path}/{steps}"
        return kind(f"line {node.line}: {text}", path=path)


# By JSON's name of a field: whether it is a transfer's, and where it stands below that.
_PLACES: Final = {
    "instructedAmount.currency": (True, "Amt/InstdAmt"),
    "instructedAmount.amount": (True, "Amt/InstdAmt"),
    "creditorAccount": (True, "CdtrAcct/Id"),
    "creditorAccount.iban": (True, "CdtrAcct/Id/IBAN"),
    "creditorAccount.currency": (True, "CdtrAcct/Ccy"),
    "creditorAgent": (True, "CdtrAgt/FinInstnId"),
    "creditorAddress": (True, "Cdtr/PstlAdr"),
    "chargeBearer": (True, "ChrgBr"),
    "debtorAccount.currency": (False, "DbtrAcct/Ccy"),
    "requestedExecutionDate": (False, "ReqdExctnDt"),
    "requestedExecutionTime": (False, "ReqdExctnDt"),
}
