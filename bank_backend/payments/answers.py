"""What TPPs are told about payments, in JSON, pain.001, pain.002 and multipart (BG IG 1.3.8 §5.3 to §5.6)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson
from flask import Response, request

from bank_backend.answers import json_answer
from bank_backend.errors import RequestedFormatsInvalid
from bank_backend.ledger.calendar import business_day, is_business_day
from bank_backend.payments.forms import amount_as_json, instruction_as_json, rule_as_json
from bank_backend.payments.model import UNDER_WAY, TransactionStatus
from bank_backend.payments.pain.report import status_report
from bank_backend.payments.requests import JSON, MULTIPART, ORDER_PARTS, XML, XML_PART
from bank_backend.readable import readable_day
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from bank_backend.calls import TppCall
    from bank_backend.payments.costs import Costs
    from bank_backend.payments.model import Execution, Payment
    from bank_backend.payments.service import PaymentView

_S = TransactionStatus
# How many of a standing order's payments are told.
_MOST_TOLD: Final = 100


def information_answer(call: TppCall, view: PaymentView) -> Response:
    """Answer the payment as it was instructed, with its status where its format has a place for one (BG IG §5.5)."""
    payment = view.payment
    if payment.document is None:
        _require_accepted(JSON)
        return json_answer(_information(view), x_request_id=call.x_request_id)
    if payment.instruction.rule is None:
        _require_accepted(XML)
        return _answer(call, payment.document.encode(), XML)
    _require_accepted(MULTIPART)
    boundary = new_uuid()
    return _answer(call, _multipart(payment, payment.document, boundary), f"{MULTIPART}; boundary={boundary}")


def status_answer(call: TppCall, view: PaymentView) -> Response:
    """Answer the status; for pain.001 payments as pain.002 unless JSON is preferred (BG IG §5.4)."""
    document = view.payment.document
    if document is not None and _require_accepted(XML, JSON) == XML:
        return _answer(call, status_report(view, document), XML)
    _require_accepted(JSON)
    return json_answer(_status(view), x_request_id=call.x_request_id)


def initiated(payment: Payment, costs: Costs | None) -> dict[str, Any]:
    """Return what the answer to an initiation says beside its links (BG IG §5.3.1)."""
    body: dict[str, Any] = {"transactionStatus": payment.status.value, "paymentId": payment.id}
    if costs is not None:
        body["transactionFeeIndicator"] = not costs.is_free
        body["estimatedTotalAmount"] = amount_as_json(costs.debited)
        if not costs.is_free:
            body["transactionFees"] = amount_as_json(costs.fees)
        if costs.conversion_fees.minor:
            body["currencyConversionFee"] = amount_as_json(costs.conversion_fees)
        if costs.credited is not None:
            body["estimatedInterbankSettlementAmount"] = amount_as_json(costs.credited)
    return body | _warnings(payment)


def _warnings(payment: Payment) -> dict[str, Any]:
    day = payment.received_at.date()
    if payment.instruction.is_dated or not payment.product.scheme.business_days_only or is_business_day(day):
        return {}
    text = f"TARGET is closed on {day}: once approved, the money is reserved, and moves on {business_day(day)}"
    return {"tppMessages": [{"category": "WARNING", "code": "WARNING", "text": text}]}


def _information(view: PaymentView) -> dict[str, Any]:
    payment = view.payment
    body = instruction_as_json(payment.instruction) | {"transactionStatus": payment.status.value}
    if payment.instruction.is_bulk and view.executions:
        newest = {each.transfer: each for each in view.executions}
        body["payments"] = [
            entry | (_outcome(newest[place], view.batch_debit) if place in newest else {})
            for place, entry in enumerate(body["payments"])
        ]
    if payment.instruction.rule is not None:
        body |= _history(view)
    return body


def _history(view: PaymentView) -> dict[str, Any]:
    """Return what a standing order has done so far, and what it does next."""
    told = view.executions[-_MOST_TOLD:]
    body: dict[str, Any] = {}
    if told:
        body["executions"] = [{"executionDate": each.day.isoformat()} | _outcome(each) for each in told]
    following = _following(view)
    return body if following is None else body | {"nextExecutionDate": following.isoformat()}


def _following(view: PaymentView) -> date | None:
    """Return when a standing order pays next; None where it doesn't any more."""
    if view.payment.status not in UNDER_WAY:
        return None
    today, last = view.now.date(), view.executions[-1].day if view.executions else None
    return view.payment.required_rule.first_from(today if last is None else max(today, last + timedelta(days=1)))


def _outcome(execution: Execution, batch_debit: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"transactionStatus": execution.status.value}
    if execution.entry is not None:
        # As the payer finds it in the statement: of a batch, that is the one debit.
        body["transactionId"] = batch_debit or execution.entry
    if execution.reason is not None:
        body |= {"reasonCode": execution.reason.code, "psuMessage": execution.reason.text}
    return body


def _status(view: PaymentView) -> dict[str, Any]:
    payment = view.payment
    body: dict[str, Any] = {"transactionStatus": payment.status.value}
    if view.funds_available is not None:
        body["fundsAvailable"] = view.funds_available
    message = _message(view)
    if message:
        body["psuMessage"] = message
    if payment.reason is not None:
        body["reasonCode"] = payment.reason.code
    return body


def _message(view: PaymentView) -> str:
    payment = view.payment
    match payment.status:
        case _S.RJCT if payment.reason is not None:
            return f"Rejected: {payment.reason.text}"
        case _S.PATC:
            return "Approved by one; others have to sign too"
        case _S.PDNG:
            return "The account does not cover it yet: it is tried again until the end of the day"
        case _S.PART:
            return _parts(view.executions)
        case _S.ACTC | _S.ACSP:
            return _coming(view)
    return ""


def _parts(executions: Sequence[Execution]) -> str:
    refused = sum(each.status is _S.RJCT for each in executions)
    return f"{len(executions) - refused} of {len(executions)} payments were made, {refused} could not be"


def _coming(view: PaymentView) -> str:
    instruction = view.payment.instruction
    if instruction.rule is not None:
        following = _following(view)
        return f"The next payment is made on {readable_day(following)}" if following is not None else ""
    if instruction.execution_time is not None:
        return f"It is made on {readable_day(instruction.execution_time.date())}, {instruction.execution_time:%H:%M} UTC"
    if instruction.execution_date is not None:
        return f"It is made on {readable_day(instruction.execution_date)}"
    return "It is made on the next business day; the money is reserved"


def _multipart(payment: Payment, document: str, boundary: str) -> bytes:
    """Return the two parts as they are sent (BG IG §5.3.4.2, §5.5)."""
    order = orjson.dumps(rule_as_json(payment.required_rule)).decode()
    parts = ((XML_PART, XML, document), (ORDER_PARTS[0], JSON, order))
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n\r\n{text}\r\n'
        for name, kind, text in parts
    ]
    return f"{''.join(lines)}--{boundary}--\r\n".encode()


def _require_accepted(*offered: str) -> str:
    """Return the best of what is offered; raises `RequestedFormatsInvalid` where the TPP accepts none of it."""
    if not request.accept_mimetypes:
        return offered[0]
    best = request.accept_mimetypes.best_match(offered)
    if best is None:
        text = f"Accept is {str(request.accept_mimetypes)[:80]}: this payment is told as {' or '.join(offered)}"
        raise RequestedFormatsInvalid(text, path="Accept")
    return best


def _answer(call: TppCall, body: bytes, content_type: str) -> Response:
    answer = Response(body, content_type=content_type)
    answer.headers["X-Request-ID"] = call.x_request_id
    return answer
