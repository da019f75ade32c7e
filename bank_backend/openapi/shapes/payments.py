"""Payments as they are answered (BG IG 1.3.8 §5.3 to §5.6, §11)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bank_backend.openapi.shapes.authorising import Begun
from bank_backend.openapi.shapes.base import AccountReference, Amount, Day, Links, Moment, Shape, TppMessage
from bank_backend.payments.model import TransactionStatus  # noqa: TC001 - pydantic reads it


class PaymentCreated(Begun):
    """A payment waits for its PSU."""

    transaction_status: TransactionStatus
    payment_id: str
    transaction_fees: Amount | None = None
    currency_conversion_fee: Amount | None = None
    estimated_total_amount: Amount | None = None
    estimated_interbank_settlement_amount: Amount | None = None
    transaction_fee_indicator: bool | None = None
    tpp_messages: list[TppMessage] | None = None


class CancellationStarted(Begun):
    """The cancellation of a payment waits for its PSU."""

    transaction_status: TransactionStatus


class PaymentStatus(Shape):
    """The status of a payment; a rejection says why (`reasonCode` is ISO 20022's)."""

    transaction_status: TransactionStatus
    funds_available: bool | None = None
    psu_message: str | None = Field(None, max_length=500)
    reason_code: str | None = Field(None, max_length=4)
    tpp_message: list[TppMessage] | None = None
    links: Links | None = Field(None, alias="_links")


class Address(Shape):
    """`address`."""

    street_name: str | None = None
    building_number: str | None = None
    town_name: str | None = None
    post_code: str | None = None
    country: str


class Transfer(Shape):
    """What every transfer has, alone or in a bulk."""

    end_to_end_identification: str | None = Field(None, max_length=35)
    instruction_identification: str | None = Field(None, max_length=35)
    debtor_name: str | None = Field(None, max_length=70)
    ultimate_debtor: str | None = Field(None, max_length=70)
    instructed_amount: Amount
    currency_of_transfer: str | None = None
    creditor_account: AccountReference
    creditor_agent: str | None = None
    creditor_agent_name: str | None = Field(None, max_length=140)
    creditor_name: str = Field(max_length=70)
    creditor_id: str | None = Field(None, max_length=35)
    creditor_address: Address | None = None
    creditor_name_and_address: str | None = Field(None, max_length=140)
    ultimate_creditor: str | None = Field(None, max_length=70)
    purpose_code: str | None = Field(None, max_length=4)
    charge_bearer: Literal["DEBT", "CRED", "SHAR", "SLEV"] | None = None
    service_level: str | None = None
    remittance_information_unstructured: str | None = Field(None, max_length=140)
    remittance_information_structured: str | dict[str, object] | None = None
    remittance_information_structured_array: list[dict[str, object]] | None = None


class Payment(Transfer):
    """A single payment as it was initiated, with its status."""

    debtor_account: AccountReference
    requested_execution_date: Day | None = None
    requested_execution_time: Moment | None = None
    transaction_status: TransactionStatus
    tpp_message: list[TppMessage] | None = None


class Outcome(Shape):
    """What became of a payment of several: its entry in the books, or why it was not made."""

    transaction_status: TransactionStatus
    transaction_id: str | None = None
    reason_code: str | None = Field(None, max_length=4)
    psu_message: str | None = Field(None, max_length=500)


class Execution(Outcome):
    """A standing order's payment of one day."""

    execution_date: Day


class PeriodicPayment(Payment):
    """A standing order as it was initiated, with its status, what it has paid and when it pays next."""

    start_date: Day
    end_date: Day | None = None
    execution_rule: Literal["following", "preceding"] | None = None
    frequency: str
    day_of_execution: str | None = None
    months_of_execution: list[str] | None = None
    executions: list[Execution] | None = None
    next_execution_date: Day | None = None


class BulkEntry(Transfer):
    """One payment of a bulk; what became of it is told once it has been tried."""

    transaction_status: TransactionStatus | None = None
    transaction_id: str | None = None
    reason_code: str | None = Field(None, max_length=4)
    psu_message: str | None = Field(None, max_length=500)


class BulkPayment(Shape):
    """Several transfers from one account as they were initiated, with their status."""

    batch_booking_preferred: bool | None = None
    requested_execution_date: Day | None = None
    requested_execution_time: Moment | None = None
    acceptor_transaction_date_time: Moment | None = None
    debtor_account: AccountReference
    payment_information_id: str | None = Field(None, max_length=35)
    payments: list[BulkEntry]
    transaction_status: TransactionStatus
    tpp_message: list[TppMessage] | None = None
