"""What a payment will cost and bring, as the ledger quotes it now (BG IG 1.3.8 §5.3.1: fees and estimates of the answer)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.ledger.refusals import LedgerError
from bank_backend.payments.orders import transfer_order

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.database import Connection
    from bank_backend.ledger.orders import Charges
    from bank_backend.payments.model import Payment
    from bank_backend.payments.ports import PaymentLedger, PaymentStore
    from psd2.ids import AccountId
    from psd2.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Sums over a payment's transfers. `conversion_fees` are part of `fees`; no `credited` where payees' currencies differ."""

    debited: Money
    fees: Money
    conversion_fees: Money
    credited: Money | None

    @property
    def is_free(self) -> bool:
        """Whether the payer is charged nothing."""
        return not self.fees.minor


class Quotes:
    """Asks the ledger what payments will cost; an answer of None: it can't be told."""

    def __init__(self, *, store: PaymentStore, ledger: PaymentLedger) -> None:
        """Ask `ledger` about the accounts in `store`."""
        self._store = store
        self._ledger = ledger

    def costs(self, connection: Connection, payment: Payment, now: datetime) -> Costs | None:
        """Return what the payment would cost if it were made now."""
        debtor = payment.debtor or self._likely_debtor(connection, payment)
        if debtor is None:
            return None
        try:
            charges = [
                self._ledger.quote(connection, transfer_order(payment, place, debtor), now)
                for place in range(len(payment.instruction.transfers))
            ]
        except LedgerError:
            # It will be told, with its reason, when the payment is tried.
            return None
        return _summed(charges)

    def funds_suffice(self, connection: Connection, payment: Payment, now: datetime) -> bool | None:
        """Tell whether the approved payment's account covers it now; None where it can't be told."""
        costs = self.costs(connection, payment, now)
        if costs is None or payment.debtor is None:
            return None
        available = self._ledger.available(connection, payment.tenant, payment.debtor, today=now.date())
        return costs.debited <= available

    def _likely_debtor(self, connection: Connection, payment: Payment) -> AccountId | None:
        """Return the account that an approval would choose: the reference's, in the payment's currency where it names none."""
        reference = payment.instruction.debtor
        held = self._store.accounts_of_iban(connection, payment.tenant, reference.iban)
        wanted = reference.currency or payment.instruction.transfers[0].amount.currency
        fitting = [account for account, currency in held.items() if currency == wanted]
        return next(iter(fitting or ([] if reference.currency else held)), None)


def _summed(charges: Sequence[Charges]) -> Costs:
    credited = {each.credited.currency for each in charges}
    return Costs(
        debited=_sum([each.debited for each in charges]),
        fees=_sum([each.fee for each in charges]),
        conversion_fees=_sum([each.conversion_fee for each in charges]),
        credited=_sum([each.credited for each in charges]) if len(credited) == 1 else None,
    )


def _sum(amounts: Sequence[Money]) -> Money:
    return sum(amounts[1:], start=amounts[0])
