"""The payment form. What is right is the bank's to say: its words stand at the field that its error names."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from flask_wtf import FlaskForm  # type: ignore[import-untyped]
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from psd2.ids import new_uuid
from psd2.money import InvalidMoney, Money
from tpp_client.payments import PaymentOrder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tpp_client.accounts import Account
    from tpp_client.errors import Refusal

_CURRENCY = "EUR"
_LONGEST = 140
# Where the bank's error path leads to (BG IG 1.3.8 §4.13): the longest name that begins it.
_FIELD_OF_PATH = {
    "debtorAccount": "debtor",
    "creditorAccount": "creditor_iban",
    "creditorName": "creditor_name",
    "instructedAmount": "amount",
    "remittanceInformationUnstructured": "remittance",
}


class PaymentForm(FlaskForm):  # type: ignore[misc]
    """Who is paid how much from where. `order_id` becomes the X-Request-ID: sent twice, it is paid once."""

    order_id = HiddenField()
    debtor = StringField("From", [InputRequired("Say which account pays."), Length(max=_LONGEST)])
    creditor_name = StringField("To", [Length(max=_LONGEST)])
    creditor_iban = StringField("IBAN", [Length(max=_LONGEST)])
    amount = StringField("Amount in EUR", [Length(max=_LONGEST)])
    remittance = StringField("Message", [Length(max=_LONGEST + 1)])


class OwnAccountPaymentForm(PaymentForm):
    """The same, from one of the connected accounts."""

    debtor: SelectField = SelectField("From", [InputRequired("Choose the account that pays.")])  # type: ignore[assignment]

    def offer(self, accounts: Iterable[Account]) -> None:
        """Offer these accounts, none of them chosen silently."""
        own = [(one.iban, f"{one.name or 'Account'} · {one.iban}") for one in accounts if one.currency == _CURRENCY]
        self.debtor.choices = [("", "Choose an account"), *own]


def order_id_of(form: PaymentForm) -> str:
    """Return the form's own X-Request-ID, or a fresh one where it holds none that may stand there."""
    try:
        return str(uuid.UUID(str(form.order_id.data), version=4))
    except ValueError:
        return new_uuid()


def order_of(form: PaymentForm) -> PaymentOrder | None:
    """Return what the form orders; None, and a word at the field, where the amount can't be read exactly."""
    try:
        amount = Money.parse((form.amount.data or "").strip(), _CURRENCY)
    except InvalidMoney as error:
        add_error(form, "amount", f"{error}.".replace("..", "."))
        return None
    return PaymentOrder(
        debtor_iban=_iban(form.debtor.data),
        creditor_iban=_iban(form.creditor_iban.data),
        creditor_name=(form.creditor_name.data or "").strip(),
        amount=amount,
        remittance=(form.remittance.data or "").strip(),
    )


def show_refusal(form: PaymentForm, refusal: Refusal) -> bool:
    """Put the bank's words at the fields they are about; return whether every one of them found its field."""
    placed = [_place(form, message.path, message.text) for message in refusal.messages]
    return bool(placed) and all(placed)


def add_error(form: PaymentForm, name: str, text: str) -> None:
    """Say what is wrong with one field."""
    field = form[name]
    field.errors = [*field.errors, text]


def _place(form: PaymentForm, path: str | None, text: str) -> bool:
    name = _FIELD_OF_PATH.get((path or "").partition(".")[0])
    if name is not None:
        add_error(form, name, text)
    return name is not None


def _iban(text: str | None) -> str:
    return "".join((text or "").split()).upper()
