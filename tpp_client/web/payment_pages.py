"""Payments: the form, the way to the bank and back, how far the bank is, the receipt."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from psd2.ids import new_uuid
from tpp_client.errors import Refused, TppClientError
from tpp_client.web.payment_form import (
    OwnAccountPaymentForm,
    PaymentForm,
    order_id_of,
    order_of,
    show_refusal,
)
from tpp_client.web.reading import AwaitsSignature, NotConnected
from tpp_client.web.visitor import visitor
from tpp_client.web.visits.model import PaymentRecord, Purpose
from tpp_client.web.wording import FINAL

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tpp_client.payments import InitiatedPayment, PaymentOrder
    from tpp_client.web.bootstrap import Services

_WAITING = "RCVD"


def blueprint(services: Services) -> Blueprint:
    """Return the pages."""
    pages = Blueprint("payments", __name__, url_prefix="/payments")
    views = _Pages(services)
    pages.add_url_rule("", "overview", views.overview)
    pages.add_url_rule("/new", "new", views.new)
    pages.add_url_rule("/new", "initiate", views.initiate, methods=["POST"])
    pages.add_url_rule("/<payment_id>", "payment", views.payment)
    pages.add_url_rule("/<payment_id>/status", "status", views.status)
    pages.add_url_rule("/<payment_id>/authorise", "authorise", views.authorise, methods=["POST"])
    return pages


class _Pages:
    def __init__(self, services: Services) -> None:
        self._services = services

    def overview(self) -> str:
        return render_template("payments.html", payments=visitor().visit.payments)

    def new(self) -> str:
        form = _form()
        if request.method == "GET":
            form.order_id.data = new_uuid()
            form.debtor.data = request.args.get("from", "")
        return _shown(form)

    def initiate(self) -> Response | tuple[str, int]:
        form, asking = _form(), visitor()
        order = order_of(form) if form.validate() else None
        if order is None:
            return _shown(form), HTTPStatus.UNPROCESSABLE_ENTITY
        request_id = order_id_of(form)
        try:
            initiated = asking.bank.initiate(order, request_id=request_id)
        except Refused as refused:
            if not show_refusal(form, refused.refusal):
                raise
            form.order_id.data = new_uuid()
            return _shown(form), HTTPStatus.UNPROCESSABLE_ENTITY
        record = self._record(order, initiated, request_id)
        asking.change(lambda visit: visit.with_payment(record))
        return redirect(asking.begin(Purpose.PAYMENT, record.payment_id), 303)

    def payment(self, payment_id: str) -> str:
        return render_template("payment.html", payment=_followed(payment_id))

    def status(self, payment_id: str) -> str:
        return render_template("payment_status.html", payment=_followed(payment_id))

    def authorise(self, payment_id: str) -> Response:
        payment = _followed(payment_id)
        if payment.status != _WAITING:
            return redirect(url_for("payments.payment", payment_id=payment.payment_id), 303)
        return redirect(visitor().begin(Purpose.PAYMENT, payment.payment_id), 303)

    def _record(self, order: PaymentOrder, initiated: InitiatedPayment, request_id: str) -> PaymentRecord:
        return PaymentRecord(
            payment_id=initiated.payment_id,
            debtor_iban=order.debtor_iban,
            creditor_iban=order.creditor_iban,
            creditor_name=order.creditor_name,
            amount=order.amount.decimal,
            currency=order.amount.currency,
            remittance=order.remittance,
            request_id=request_id,
            status=initiated.status,
            made_at=self._services.clock.now().timestamp(),
        )


def _form() -> PaymentForm:
    """Return the form with the connected accounts to choose from; without a connection the IBAN is typed."""
    try:
        accounts = visitor().reader().accounts()
    except (NotConnected, AwaitsSignature):
        return PaymentForm()
    form = OwnAccountPaymentForm()
    form.offer(accounts)
    return form


def _shown(form: PaymentForm) -> str:
    try:
        people = visitor().bank.sandbox_people()
    except TppClientError:
        people = ()  # suggestions only
    return render_template("payment_new.html", form=form, people=people)


def _followed(payment_id: str) -> PaymentRecord:
    """Return one of this browser's own payments as the bank has it now; another's raises `NotFound`, asked nowhere.

    All browsers are one TPP to the bank: it would tell the status of any payment here.
    """
    asking = visitor()
    payment = asking.visit.payment(payment_id)
    if payment is None:
        raise NotFound("This browser has made no payment that is called so.")
    if payment.status in FINAL:
        return payment
    status = asking.bank.payment_status(payment.payment_id)
    if status != payment.status:
        asking.change(lambda visit: visit.with_status(payment_id, status))
    return asking.visit.payment(payment_id) or payment
