"""pain.002: what became of a pain.001 message, as a whole and transfer by transfer (BG IG 1.3.8 §5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

from bank_backend.payments.model import TransactionStatus, concluded
from bank_backend.payments.pain.reading import read_message
from bank_backend.payments.pain.schema import REPORTS, namespace_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_backend.payments.model import Execution
    from bank_backend.payments.pain.blocks import Block
    from bank_backend.payments.pain.grammar import Node
    from bank_backend.payments.reasons import RejectionReason
    from bank_backend.payments.service import PaymentView

# ISO 20022 Max105Text.
_MOST_TEXT: Final = 105
_MOMENT: Final = "%Y-%m-%dT%H:%M:%S.000Z"


def status_report(view: PaymentView, original: str) -> bytes:
    """Return the report about a payment; `original` is the pain.001 message that instructs it."""
    payment, message = view.payment, read_message(original)
    namespace = namespace_of(REPORTS[message.version])
    document = etree.Element(etree.QName(namespace, "Document"), nsmap={None: namespace})  # type: ignore[dict-item] # None is the default namespace, which the stubs forgot
    report = _Writer(namespace)
    root = report.below(document, "CstmrPmtStsRpt")
    header = report.below(root, "GrpHdr")
    # An ISO message's id has at most 35 characters.
    report.text(header, "MsgId", payment.id.replace("-", ""))
    report.text(header, "CreDtTm", view.now.strftime(_MOMENT))
    group = report.below(root, "OrgnlGrpInfAndSts")
    report.text(group, "OrgnlMsgId", message.header.at("MsgId"))
    report.text(group, "OrgnlMsgNmId", message.version)
    report.text(group, "OrgnlCreDtTm", message.header.at("CreDtTm").strftime(_MOMENT))
    report.sums(group, message.header)
    report.status(group, "GrpSts", payment.status, payment.reason)
    for block in message.blocks:
        _payment_information(report, report.below(root, "OrgnlPmtInfAndSts"), view, block)
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8")


def _payment_information(report: _Writer, above: etree._Element, view: PaymentView, block: Block) -> None:
    newest: Mapping[int, Execution] = {each.transfer: each for each in view.executions}
    report.text(above, "OrgnlPmtInfId", block.node.at("PmtInfId"))
    report.sums(above, block.node)
    report.status(above, "PmtInfSts", *_standing(view, [newest[place] for place in block.places if place in newest]))
    for place, transaction in zip(block.places, block.transactions, strict=True):
        made = newest.get(place)
        below = report.below(above, "TxInfAndSts")
        report.text(below, "OrgnlInstrId", transaction.at("PmtId/InstrId"))
        report.text(below, "OrgnlEndToEndId", transaction.at("PmtId/EndToEndId"))
        status = view.payment.status if made is None else made.status
        report.status(below, "TxSts", status, view.payment.reason if made is None else made.reason)


def _standing(view: PaymentView, made: Sequence[Execution]) -> tuple[TransactionStatus, RejectionReason | None]:
    """Return how a block stands: as its own transfers came out or, before and where the whole was cancelled, as the message."""
    payment = view.payment
    if not made or payment.status is TransactionStatus.CANC:
        return payment.status, payment.reason
    return concluded(made)


class _Writer:
    """Adds elements of one namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def below(self, above: etree._Element, name: str) -> etree._Element:
        return etree.SubElement(above, etree.QName(self._namespace, name))

    def text(self, above: etree._Element, name: str, value: object | None) -> None:
        if value is not None:
            self.below(above, name).text = str(value)

    def sums(self, above: etree._Element, original: Node) -> None:
        self.text(above, "OrgnlNbOfTxs", original.at("NbOfTxs"))
        self.text(above, "OrgnlCtrlSum", original.at("CtrlSum"))

    def status(self, above: etree._Element, name: str, status: TransactionStatus, reason: RejectionReason | None) -> None:
        self.text(above, name, status)
        if reason is None:
            return
        information = self.below(above, "StsRsnInf")
        self.text(self.below(information, "Rsn"), "Cd", reason.code)
        self.text(information, "AddtlInf", reason.text[:_MOST_TEXT])
