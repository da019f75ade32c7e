"""What a PSU is asked to approve, in the PSU's terms: the same for the pages, the one-time code and the headless endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.wording import Line, Wording
from bank_backend.errors import FieldsInvalid
from bank_backend.readable import readable_day, readable_iban, readable_list, readable_money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from bank_backend.accounts.model import Account
    from bank_backend.consents.model import Access
    from bank_backend.database import Connection
    from bank_backend.references import AccountReference
    from psd2.ids import PsuId, TenantId
    from psd2.money import Money


class AccountChoice(StrEnum):
    """Who says which accounts: the TPP by IBAN, the PSU out of its own, or nobody because all are meant."""

    NAMED = "named"
    OFFERED = "offered"
    ALL = "all"


class Ask(Protocol):
    """A request that a PSU decides on, of whatever kind."""

    @property
    def choice(self) -> AccountChoice:
        """Who says which accounts."""

    @property
    def references(self) -> tuple[AccountReference, ...]:
        """The accounts that the TPP names."""

    def statement(self, tpp: str, accounts: Sequence[Account]) -> str:
        """Say in one sentence what approving does; codes and approvals are bound to it."""

    def wording(self, tpp: str, accounts: Sequence[Account]) -> Wording:
        """Return the request as pages and bank app show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAsk:
    """Access to accounts."""

    choice: AccountChoice
    access: Access
    recurring: bool
    valid_until: date
    frequency_per_day: int

    @property
    def references(self) -> tuple[AccountReference, ...]:
        """The accounts that the TPP names."""
        return self.access.references

    def statement(self, tpp: str, accounts: Sequence[Account]) -> str:
        """Say in one sentence what approving does; the one-time code is bound to it."""
        seen: dict[tuple[str, ...], list[Account]] = {}
        for account in accounts:
            seen.setdefault(self.seen_of(account), []).append(account)
        parts = [f"the {readable_list(what)} of {_ibans(whose)}" for what, whose in seen.items()]
        often = f"until {readable_day(self.valid_until)}, up to {self.frequency_per_day} times a day"
        return f"{tpp} may see {', and '.join(parts)} {often if self.recurring else 'once'}"

    def wording(self, tpp: str, accounts: Sequence[Account]) -> Wording:
        """Return what the TPP may see, account by account, how long and how often."""
        seen = [Line(each.name, _capitalised(readable_list(self.seen_of(each))), each.readable) for each in accounts]
        everything = [Line("Which accounts", "All of yours, and any you open while this lasts")]
        never = Line("Not included", f"{tpp} can't move money with this, and never learns your password")
        return Wording(
            opening=f"{tpp} asks to see your accounts",
            question=f"May {tpp} see this?",
            lines=(*seen, *(everything if self.choice is AccountChoice.ALL else []), *self._how_long(), never),
            confirmed="Your consent has been given.",
            refused="Nothing was shared.",
        )

    def _how_long(self) -> tuple[Line, ...]:
        last_day = readable_day(self.valid_until)
        if not self.recurring:
            return (Line("How often", f"Once, by {last_day} at the latest"),)
        times = "time" if self.frequency_per_day == 1 else "times"
        often = f"Whenever you ask for it, and up to {self.frequency_per_day} {times} a day without you"
        return (Line("How long", f"Until {last_day}"), Line("How often", often))

    def seen_of(self, account: Account) -> tuple[str, ...]:
        """Return what the TPP sees of one of the accounts, in words."""
        right = self.access.rights_on(account)
        also = {"balance": right.balances, "transactions": right.transactions, "owner's name": right.owner_name}
        return ("details", *(what for what, is_granted in also.items() if is_granted))


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAsk:
    """A payment from one of the PSU's accounts."""

    references: tuple[AccountReference, ...]
    amount: Money
    creditor_name: str
    creditor_iban: str
    remittance: str
    choice: AccountChoice = AccountChoice.NAMED

    def statement(self, _tpp: str, accounts: Sequence[Account]) -> str:
        """Say in one sentence what approving does; amount and payee as RTS 2018/389 Art. 5 asks."""
        payee = f"{self.creditor_name}, {readable_iban(self.creditor_iban)}"
        return f"you pay {readable_money(self.amount)} to {payee} from {_ibans(accounts)}"

    def wording(self, tpp: str, accounts: Sequence[Account]) -> Wording:
        """Return amount, payee, account and reference."""
        return Wording(
            opening=f"{tpp} has prepared a payment for you",
            question="Do you want to make this payment?",
            lines=(
                Line("To", self.creditor_name, readable_iban(self.creditor_iban)),
                *(Line("From", each.name, each.readable) for each in accounts),
                Line("Reference", self.remittance or "none"),
                Line("When", "At once; it can't be taken back"),
            ),
            total=self.amount,
            confirm=f"Pay {readable_money(self.amount)}",
            confirmed="Your payment has been made.",
            refused="No money has moved.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsAsk:
    """Answers about one account's funds to a card issuer."""

    references: tuple[AccountReference, ...]
    card_number: str
    card_information: str
    registration_information: str
    choice: AccountChoice = AccountChoice.NAMED

    def statement(self, tpp: str, accounts: Sequence[Account]) -> str:
        """Say in one sentence what approving does."""
        return f"{tpp} may ask whether {_ibans(accounts)} covers an amount, until you revoke it"

    def wording(self, tpp: str, accounts: Sequence[Account]) -> Wording:
        """Return what the card issuer may ask, for which card."""
        card = f"{4 * _BULLET} {self.card_number[-_CARD_DIGITS_SHOWN:]}" if self.card_number else ""
        known = {"For card": card, "Card": self.card_information, "Registered as": self.registration_information}
        return Wording(
            opening=f"{tpp} asks whether it may check your funds",
            question=f"May {tpp} check your funds?",
            lines=(
                *(Line("Account", each.name, each.readable) for each in accounts),
                *(Line(term, text) for term, text in known.items() if text),
                Line("What it learns", "Yes or no to “is this amount there?”, never your balance"),
                Line("How long", "Until it is ended; there is no fixed date"),
            ),
            confirmed="Your consent has been given.",
            refused="Nothing was shared.",
        )


_BULLET, _CARD_DIGITS_SHOWN = "\N{BULLET}", 4


def _capitalised(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _names(account: Account) -> set[str]:
    return {account.id, account.iban or account.masked_pan}


def _ibans(accounts: Sequence[Account]) -> str:
    return readable_list([account.readable for account in accounts])


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A PSU's yes to one resource, for these accounts.

    Where several have to sign, `psu` is the first, whose the resource becomes, and `signatories` are all so far.
    """

    tenant: TenantId
    resource: str
    psu: PsuId
    accounts: tuple[Account, ...]
    at: datetime
    signatories: tuple[PsuId, ...] = ()


class Approvable(Protocol):
    """One kind of resource that a PSU decides on: consents, payments and funds consents each implement it."""

    def ask(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> Ask:
        """Return what is asked; raises `ResourceUnknown`, or `StatusInvalid` where nothing is to be decided any more."""

    def approve(self, connection: Connection, approval: Approval) -> None:
        """Make it so, inside the caller's transaction; raises `IllegalMove`."""

    def partially_approve(self, connection: Connection, approval: Approval) -> None:
        """Note that one signature of several is there, inside the caller's transaction; raises `IllegalMove`."""

    def reject(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> None:
        """Turn it down, inside the caller's transaction; raises `IllegalMove`."""

    def setback(self, connection: Connection, *, tenant: TenantId, resource: str) -> str:
        """Return why what was approved came to nothing, in words for the PSU; empty where it did not."""


@dataclass(frozen=True, slots=True)
class Eligible:
    """Which of a PSU's accounts an ask can be about, and which named ones are not the PSU's."""

    accounts: tuple[Account, ...]
    foreign: tuple[AccountReference, ...]


def eligible_accounts(ask: Ask, held: Sequence[Account]) -> Eligible:
    """Match an ask with the accounts a PSU holds."""
    if ask.choice is not AccountChoice.NAMED:
        return Eligible(tuple(account for account in held if _is_offered(ask, account)), ())
    named = tuple(account for account in held if any(reference.names(account) for reference in ask.references))
    foreign = tuple(ref for ref in ask.references if not any(ref.names(account) for account in held))
    return Eligible(named, foreign)


def _is_offered(ask: Ask, account: Account) -> bool:
    """Whether nobody's naming an account leaves this one in: a consent may be about some types of accounts only."""
    return ask.access.admits(account) if isinstance(ask, ConsentAsk) else True


def chosen_accounts(ask: Ask, held: Sequence[Account], wanted: Sequence[str] | None) -> tuple[Account, ...]:
    """Return the accounts an approval is for; `wanted` are ids or IBANs, None leaves it at everything eligible.

    Raises `FieldsInvalid` where a named account is not the PSU's, or the choice is empty or not the PSU's to make.
    """
    eligible = eligible_accounts(ask, held)
    if eligible.foreign:
        ibans = ", ".join(reference.iban or reference.readable for reference in eligible.foreign)
        raise FieldsInvalid({"psu": f"this PSU does not hold the account asked for: {ibans}"})
    if wanted is None:
        return _require_some(eligible.accounts)
    unknown = [name for name in wanted if not any(name in _names(account) for account in eligible.accounts)]
    if unknown:
        raise FieldsInvalid({"accounts": f"not among the accounts this can be about: {', '.join(unknown)[:200]}"})
    chosen = tuple(account for account in eligible.accounts if _names(account) & set(wanted))
    if ask.choice is not AccountChoice.OFFERED and chosen != eligible.accounts:
        raise FieldsInvalid({"accounts": "the request names its accounts: they can be approved together or not at all"})
    return _require_some(chosen)


def _require_some(accounts: tuple[Account, ...]) -> tuple[Account, ...]:
    if not accounts:
        raise FieldsInvalid({"accounts": "choose at least one account"})
    return accounts
