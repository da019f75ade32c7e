"""What payments need of the rest of the bank, as narrow as they need it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from bank_backend.database import Connection
    from bank_backend.ledger.orders import Booked, BookedBatch, Charges, TransferOrder
    from bank_backend.payments.model import Execution, Payment, TransactionStatus
    from bank_backend.schedule.model import TaskKind
    from psd2.ids import AccountId, TenantId
    from psd2.money import Money


class PaymentStore(Protocol):
    """Where payments are kept; each call works inside the caller's transaction."""

    def add(self, connection: Connection, payment: Payment) -> bool:
        """Write a new payment, unless its request has made one already; tell whether it was written."""

    def save(self, connection: Connection, payment: Payment) -> None:
        """Write the payment's new state over its old one; what was instructed never changes."""

    def find(self, connection: Connection, tenant: TenantId, payment_id: str) -> Payment | None:
        """Return the tenant's payment, or None."""

    def find_locked(self, connection: Connection, tenant: TenantId, payment_id: str) -> Payment | None:
        """Return the tenant's payment, locked until the transaction ends, or None."""

    def of_request(self, connection: Connection, tenant: TenantId, x_request_id: str) -> Payment | None:
        """Return the payment that a request made, or None."""

    def periodic_of(
        self, connection: Connection, tenant: TenantId, account: AccountId, states: Sequence[TransactionStatus]
    ) -> list[Payment]:
        """Return the account's periodic payments in these states, oldest first."""

    def executions_of(self, connection: Connection, payment: Payment, *, most: int) -> list[Execution]:
        """Return the newest of a payment's executions, at most so many, oldest first."""

    def next_number(self, connection: Connection, payment: Payment) -> int:
        """Return the number of the payment's next execution."""

    def has_booked(self, connection: Connection, payment: Payment) -> bool:
        """Tell whether any of the payment's executions has moved money."""

    def debit_of_batch(self, connection: Connection, payment: Payment) -> str | None:
        """Return the entry by which the debtor paid several of the payment's transfers at once; None where there is none."""

    def put_executions(self, connection: Connection, changed: Sequence[Execution]) -> None:
        """Write executions, over what stood there under their numbers."""

    def accounts_of_iban(self, connection: Connection, tenant: TenantId, iban: str) -> dict[AccountId, str]:
        """Return the currencies of this bank's accounts of an IBAN, by id, in the accounts' order."""


class PaymentLedger(Protocol):
    """The part of the ledger that payments need; what raises `LedgerError` has written nothing."""

    def quote(self, connection: Connection, order: TransferOrder, now: datetime) -> Charges:
        """Return what a transfer would cost and bring now, whether or not the funds suffice."""

    def transfer(self, connection: Connection, order: TransferOrder, now: datetime, *, hold: str | None = None) -> Booked:
        """Book a credit transfer."""

    def transfer_batch(
        self,
        connection: Connection,
        orders: Sequence[TransferOrder],
        now: datetime,
        *,
        origin: str | None = None,
        holds: Sequence[str] = (),
    ) -> BookedBatch:
        """Book several transfers with one debit."""

    def hold(self, connection: Connection, order: TransferOrder, now: datetime) -> str:
        """Reserve what a transfer to come will cost."""

    def release(self, connection: Connection, *, tenant: TenantId, hold: str, now: datetime) -> None:
        """Give a hold's funds back."""

    def lock(self, connection: Connection, orders: Sequence[TransferOrder], now: datetime) -> None:
        """Lock every account that these transfers will touch."""

    def available(self, connection: Connection, tenant: TenantId, account_id: AccountId, *, today: date) -> Money:
        """Return what can be spent now, holds deducted and the credit line included."""


class Scheduling(Protocol):
    """The part of the schedule that payments need."""

    def add(self, connection: Connection, *, tenant: TenantId, kind: TaskKind, resource: str, due: datetime) -> None:
        """Have a task run once at `due`."""

    def cancel(self, connection: Connection, *, tenant: TenantId, kind: TaskKind, resource: str) -> None:
        """Have none of the resource's tasks of this kind run."""


class Rejection(Protocol):
    """A rejection that a TPP's developer has asked for."""

    @property
    def code(self) -> str:
        """An ISO 20022 status reason code."""

    @property
    def text(self) -> str:
        """The sentence that goes with it."""


class PaymentFaults(Protocol):
    """What a TPP's developer wants to go wrong."""

    def rejection(self, connection: Connection, tenant: TenantId, *, path: str) -> Rejection | None:
        """Return why the payment that is about to be executed is to be rejected, or None."""
