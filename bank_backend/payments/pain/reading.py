"""A pain.001 message read into an instruction (BG IG 1.3.8 §5.3.2, §5.3.3.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from bank_backend.errors import FormatError
from bank_backend.ledger.particulars import Particulars
from bank_backend.payments.bodies import MOST_PAYMENTS
from bank_backend.payments.instruction import CreditorAccount, Instruction, Transfer
from bank_backend.payments.pain.blocks import Message, blocks_of, debtor_of, execution_of, require_one_order
from bank_backend.payments.pain.grammar import read
from bank_backend.payments.pain.markup import read_markup
from bank_backend.payments.pain.schema import VERSIONS, message_grammar
from bank_backend.personalities.model import PaymentService
from psd2.money import InvalidMoney, Money

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    (header,) = initiation.nodes("GrpHdr")
    return Message(version=version, header=header, blocks=tuple(blocks_of(initiation.nodes("PmtInf"))))


def instruction_of(message: Message, service: PaymentService, rule: RecurrenceRule | None = None) -> Instruction:
    """Return what a message instructs; raises `FormatError`. The calendar of a periodic payment counts for its date."""
    _require_sums(message)
    _require_number(message, service)
    require_one_order(message)
    first, is_bulk = message.blocks[0].node, service is PaymentService.BULK
    day, moment = (None, None) if rule is not None else execution_of(first)
    return Instruction(
        debtor=debtor_of(first),
        transfers=tuple(_transfer(each, block.node) for block in message.blocks for each in block.transactions),
        is_bulk=is_bulk,
        batch_booking=first.at("BtchBookg") if is_bulk else None,
        batches=_batches(message) if len(message.blocks) > 1 else (),
        execution_date=day,
        execution_time=moment,
        rule=rule,
    )


def _batches(message: Message) -> tuple[int | None, ...]:
    """Return the block of each transfer that is booked with the others of its block; None for each that isn't."""
    return tuple(
        number if block.node.at("BtchBookg") else None for number, block in enumerate(message.blocks) for _ in block.places
    )


def _require_sums(message: Message) -> None:
    """ISO 20022: what the header and each payment information sum up is what follows."""
    _require_summed(message.header, message.transactions)
    for block in message.blocks:
        _require_summed(block.node, block.transactions)


def _require_summed(node: Node, transactions: Sequence[Node]) -> None:
    total = sum((each.at("Amt/InstdAmt") for each in transactions), start=Decimal(0))
    for name, right in (("NbOfTxs", len(transactions)), ("CtrlSum", total)):
        given = node.first(name)
        if given is not None and given.value != right:
            text = f"{name} in line {given.line} is {given.value}, and the transactions make {right}"
            raise FormatError(text, path=given.path)


def _require_number(message: Message, service: PaymentService) -> None:
    transactions = message.transactions
    if service is not PaymentService.BULK and len(transactions) > 1:
        second = transactions[1]
        text = f"CdtTrfTxInf in line {second.line} is a second payment: send several to /v1/bulk-payments"
        raise FormatError(text, path=second.path)
    if len(transactions) > MOST_PAYMENTS:
        text = f"CdtTrfTxInf in line {transactions[MOST_PAYMENTS].line} is one more than the {MOST_PAYMENTS} that a bulk holds"
        raise FormatError(text, path=transactions[MOST_PAYMENTS].path)


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
        block = self._message.block_of(transfer).node
        above = self._message.transactions[transfer] if is_of_transfer else block
        if field == "chargeBearer" and above.first(steps) is None:
            above = block
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
