"""What a sample is written with: the TPP, the addresses, the persona that plays the PSU, and who is paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from psd2.roles import PspRole
    from sandbox.tenants.model import Persona, PersonaAccount

# What the portal's downloads are called.
TRUST_FILE: Final = "trust.pem"
CERTIFICATE_FILE: Final = "qwac.crt"
KEY_FILE: Final = "qwac.key"
# An address of the documentation range (RFC 5737): in a real TPP it is the one of the PSU's browser.
PSU_IP_ADDRESS: Final = "192.0.2.1"
CONSENT_DAYS: Final = 90
HISTORY_DAYS: Final = 90
_WHOLE_UNITS: Final = "12"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentExample:
    """A payment between two personas of the same bank, so that both sides of it can be looked at."""

    debtor_iban: str
    creditor_iban: str
    creditor_name: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleData:
    """The values of one TPP and one persona. `iban` is the persona's first account; `payment` None where nobody can be paid.

    `pushes`: whether its client has to push authorization requests (RFC 9126).
    """

    client_id: str
    authorisation_number: str
    organisation: str
    roles: frozenset[PspRole]
    redirect_uri: str
    welcome: str
    front: str
    edge: str
    psu: str
    iban: str
    amount: Money
    payment: PaymentExample | None
    today: date
    pushes: bool = False

    def may(self, role: PspRole) -> bool:
        """Answer whether the TPP holds a role."""
        return role in self.roles


def example_amount(currency: str) -> Money:
    """Return what is paid in examples: enough to be seen, little enough to be had."""
    return Money.parse(_WHOLE_UNITS, currency)


def payment_example(personas: Sequence[Persona], payer: Persona) -> PaymentExample | None:
    """Return a payment of the payer to another persona, in a currency both have; None where there is no such pair."""
    for debtor in payer.accounts:
        for persona in personas:
            payee = None if persona.psu == payer.psu else _account_to_pay(persona, debtor)
            if payee is not None:
                return PaymentExample(
                    debtor_iban=debtor.iban,
                    creditor_iban=payee.iban,
                    creditor_name=persona.name,
                    amount=example_amount(debtor.currency),
                )
    return None


def _account_to_pay(persona: Persona, debtor: PersonaAccount) -> PersonaAccount | None:
    # A joint account is held by both: it can't be paid from itself.
    return next((one for one in persona.accounts if one.currency == debtor.currency and one.iban != debtor.iban), None)
