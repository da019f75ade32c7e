"""Plans a tenant's seed: people, accounts and a journal of their year, decided by tenant, seed and day alone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from faker import Faker

from bank_backend.accounts.model import Account, AccountKind, AccountUsage
from bank_backend.bulk_rows import nothing_collected
from bank_backend.ledger.model import Entry, Hold, Journal, Party
from bank_backend.personas.bookmark import Bookmark, telling_of
from bank_backend.personas.calendar import MONTHS_BACK
from bank_backend.personas.catalogue import PERSONAS
from bank_backend.personas.countries import LOCALES, bic, house_bank_code, new_iban, outside_bank_code
from bank_backend.personas.model import CARD, CARD_RECEIPT, CASH, COMPANY, PERSON
from bank_backend.personas.story import Cast, tell, tell_on
from bank_backend.psus.model import Psu
from bank_backend.references import luhn_digit
from psd2.ids import AccountId, PsuId
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bank_backend.personas.model import AccountPlan, Persona
    from bank_backend.personas.story import Movement
    from psd2.ids import TenantId

_ACCOUNTS: Final = uuid.UUID("0d7bd2a6-9a5b-4f7e-8a5e-1c1d1f6f7c55")
_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor", "island", "juniper", "lagoon", "meadow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """Everything to write for a new tenant. `holders` are (login, account); `settlements` the currencies in use.

    `bookmark` says how far it is told. Where it goes on from an earlier one, `after`, the journal holds only what came since.
    """

    planned_at: datetime
    password: str
    psus: tuple[Psu, ...]
    accounts: tuple[Account, ...]
    holders: tuple[tuple[PsuId, AccountId], ...]
    settlements: tuple[str, ...]
    journal: Journal
    holds: tuple[Hold, ...]
    bookmark: Bookmark | None = None
    after: Bookmark | None = None

    @property
    def transactions(self) -> int:
        """How many movements there are, pending ones too, when it is written."""
        before = 0 if self.after is None else self.after.entries
        return before + len(self.journal.entries) + len(self.holds)


def plan_seed(
    tenant: TenantId,
    *,
    country: str,
    seed: int,
    now: datetime,
    settlement: Callable[[TenantId, str], AccountId],
    personas: Sequence[Persona] = PERSONAS,
    months: int = MONTHS_BACK,
    after: Bookmark | None = None,
) -> Seed:
    """Return the seed of a tenant; `settlement` names the bank's own account in a currency.

    Where it can go on from `after`, its journal holds only what came since: `Seed.after` tells.
    """
    telling = telling_of(personas, country=country, months=months)
    if after is not None and not after.leads_to(now, seed=seed, telling=telling):
        after = None
    bank = _Branch(
        tenant=tenant, country=country, seed=seed, now=now, settlement=settlement, personas=personas, months=months, after=after
    )
    with nothing_collected():
        for persona in personas:
            bank.seed_persona(persona)
        return bank.seed(telling)


class _Branch:
    """Collects the seed, persona by persona. Each has a generator of its own, so that changing one leaves the others."""

    def __init__(
        self,
        *,
        tenant: TenantId,
        country: str,
        seed: int,
        now: datetime,
        settlement: Callable[[TenantId, str], AccountId],
        personas: Sequence[Persona],
        months: int,
        after: Bookmark | None,
    ) -> None:
        self._after = after
        self._personas, self._months = personas, months
        self._tenant, self._country, self._seed, self._now = tenant, country, seed, now
        self._settlement = settlement
        self._faker = Faker(LOCALES[country])
        self._psus: list[Psu] = []
        self._accounts: list[Account] = []
        self._holders: list[tuple[PsuId, AccountId]] = []
        self._movements: list[tuple[Movement, Mapping[str, Account]]] = []

    def seed_persona(self, persona: Persona) -> None:
        """Add one persona with its accounts and its year."""
        rng = self._rng(persona.login)
        psu = _psu(persona, self._tenant, rng)
        opened: dict[str, Account] = {}
        for plan in persona.accounts:
            opened[plan.key] = self._account(persona, plan, rng, opened)
        self._psus.append(psu)
        self._accounts.extend(opened.values())
        for plan in persona.accounts:
            self._holders.extend((PsuId(login), opened[plan.key].id) for login in (persona.login, *plan.joint_with))
        cast = Cast(
            own={key: Party(account.owner_name, account.iban) for key, account in opened.items()},
            others=self._others(persona, rng),
            cards={key: account.masked_pan for key, account in opened.items() if account.is_card},
        )
        self._movements.extend((movement, opened) for movement in self._story(persona, cast))

    def _story(self, persona: Persona, cast: Cast) -> list[Movement]:
        def chance(purpose: str) -> Random:
            return self._rng(f"{persona.login} {purpose}")

        if self._after is not None:
            return tell_on(persona, cast, chance, self._now, since=self._after.told_at)
        return tell(persona, cast, chance, self._now, months=self._months)

    def seed(self, telling: int) -> Seed:
        """Book everything in order of booking and return the whole."""
        today = self._now.date()
        journal = Journal(positions={} if self._after is None else dict(self._after.positions))
        holds = []
        for movement, opened in sorted(self._movements, key=lambda pair: (pair[0].booking_date, pair[0].at)):
            if movement.is_booked(today):
                journal.post(self._entry(movement, opened))
            else:
                holds.append(self._hold(movement, opened))
        return Seed(
            planned_at=self._now,
            password=_password(self._rng("password")),
            psus=tuple(self._psus),
            accounts=tuple(self._accounts),
            holders=tuple(self._holders),
            settlements=tuple(sorted({account.currency for account in self._accounts})),
            journal=journal,
            holds=tuple(holds),
            bookmark=self._bookmark(journal, telling),
            after=self._after,
        )

    def _bookmark(self, journal: Journal, telling: int) -> Bookmark:
        told = 0 if self._after is None else self._after.entries
        return Bookmark(
            seed=self._seed,
            told_at=self._now,
            telling=telling,
            entries=told + len(journal.entries),
            positions=journal.positions,
        )

    def _rng(self, purpose: str) -> Random:
        return Random(f"{self._seed} {self._tenant} {purpose}")  # noqa: S311 - test data that must come out the same again

    def _account(self, persona: Persona, plan: AccountPlan, rng: Random, opened: Mapping[str, Account]) -> Account:
        holders = (persona.login, *plan.joint_with)
        names = [one.name for one in self._personas if one.login in holders]
        iban, pan = self._numbers(plan, rng, opened)
        return Account(
            id=account_id(self._tenant, iban or pan, plan.currency),
            tenant=self._tenant,
            kind=AccountKind.CARD if plan.settles_with else AccountKind.PAYMENT,
            iban=iban,
            pan=pan,
            billing_day=plan.billing_day,
            settles_with=opened[plan.settles_with].id if plan.settles_with else None,
            signatures_required=plan.signatures_required,
            display_name=plan.display_name,
            bic=bic(self._country),
            currency=plan.currency,
            name=plan.name,
            product=plan.product,
            owner_name=plan.owner_name or ", ".join(names),
            cash_account_type=plan.cash_account_type,
            status=plan.status,
            usage=AccountUsage.PROFESSIONAL if plan.is_professional else AccountUsage.PRIVATE,
            overdraft_minor=plan.overdraft_minor,
        )

    def _numbers(self, plan: AccountPlan, rng: Random, opened: Mapping[str, Account]) -> tuple[str, str]:
        """Return IBAN and card number, one of which is empty."""
        if plan.settles_with:
            digits = f"9999{rng.randrange(10**11):011d}"  # no issuer has this beginning (ISO/IEC 7812-1: 9 is national)
            return "", digits + luhn_digit(digits)
        if plan.iban_of:
            return opened[plan.iban_of].iban, ""
        return new_iban(self._country, rng, bank_code=house_bank_code(self._country)), ""

    def _others(self, persona: Persona, rng: Random) -> dict[str, Party]:
        """Name everybody the persona deals with; shops where it pays by card have no account that it sees."""
        self._faker.seed_instance(rng.getrandbits(64))
        others: dict[str, Party] = {}
        for habit in persona.habits:
            for who in habit.who if habit.own is None else ():
                if who not in others:
                    others[who] = self._other(persona, who, rng, has_iban=habit.code not in {CARD, CARD_RECEIPT, CASH})
        return others

    def _other(self, persona: Persona, who: str, rng: Random, *, has_iban: bool) -> Party:
        name = {COMPANY: self._faker.company, PERSON: self._faker.name}[persona.roles[who]]() if who in persona.roles else who
        iban = new_iban(self._country, rng, bank_code=outside_bank_code(self._country)) if has_iban else ""
        # BG names are at most 70 characters.
        return Party(name[:70], iban)

    def _entry(self, movement: Movement, opened: Mapping[str, Account]) -> Entry:
        lines = [(opened[key].id, Money(minor, opened[key].currency)) for key, minor in movement.lines]
        currency = lines[0][1].currency
        rest = sum(amount.minor for _, amount in lines)
        if rest:
            lines.append((self._settlement(self._tenant, currency), Money(-rest, currency)))
        return Entry(
            id=movement.id,
            tenant=self._tenant,
            at=movement.at,
            booking_date=movement.booking_date,
            value_date=movement.booking_date,
            details=movement.details,
            lines=tuple(lines),
        )

    def _hold(self, movement: Movement, opened: Mapping[str, Account]) -> Hold:
        ((key, minor),) = movement.lines
        return Hold(
            id=movement.id,
            tenant=self._tenant,
            account_id=opened[key].id,
            amount=Money(minor, opened[key].currency),
            at=movement.at,
            value_date=movement.booking_date,
            details=movement.details,
        )


def _psu(persona: Persona, tenant: TenantId, rng: Random) -> Psu:
    return Psu(
        id=PsuId(persona.login),
        tenant=tenant,
        name=persona.name,
        email=f"{persona.login}@example.com",
        # +999 is no country: nobody's telephone rings (ITU-T E.164).
        phone=f"+999{rng.randint(10_000_000, 99_999_999)}",
        purpose=persona.purpose,
    )


def account_id(tenant: TenantId, number: str, currency: str) -> AccountId:
    """Return the id of an account with this IBAN or card number: the same wherever its data come from."""
    return AccountId(str(uuid.uuid5(_ACCOUNTS, f"{tenant} {number} {currency}")))


def _password(rng: Random) -> str:
    return "-".join([*rng.sample(_WORDS, 2), str(rng.randint(1000, 9999))])
