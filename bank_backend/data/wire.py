"""What is asked and answered about test data, as JSON (docs/test-data.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field, field_validator

from bank_backend.bodies import Body
from bank_backend.data.shapes import KINDS, MOST_ACCOUNTS, MOST_MONTHS, MOST_PERSONAS, MOST_TRANSACTIONS, Shape
from bank_backend.personas.calendar import MONTHS_BACK
from bank_backend.personas.countries import require_country

if TYPE_CHECKING:
    from bank_backend.data.service import Taken
    from bank_backend.personas.service import Seed

_LARGEST_SEED: Final = 2**31 - 1


class ShapeBody(Body):
    """`POST …/data/generate`."""

    seed: Annotated[int, Field(ge=0, le=_LARGEST_SEED)]
    country: str = ""
    kinds: Annotated[list[str], Field(min_length=1, max_length=MOST_PERSONAS)] | None = None
    personas: Annotated[int, Field(ge=1, le=MOST_PERSONAS)] | None = None
    accounts: Annotated[int, Field(ge=1, le=MOST_ACCOUNTS)] | None = None
    transactions: Annotated[int, Field(ge=0, le=MOST_TRANSACTIONS)] | None = None
    months: Annotated[int, Field(ge=1, le=MOST_MONTHS)] = MONTHS_BACK

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str) -> str:
        return require_country(value)

    @field_validator("kinds")
    @classmethod
    def _known_kinds(cls, value: list[str] | None) -> list[str] | None:
        for kind in value or ():
            if kind not in KINDS:
                msg = f"{kind[:40]!r} is no kind of persona: there are {', '.join(KINDS)}"
                raise ValueError(msg)
        return value

    def parsed(self, *, country: str) -> Shape:
        """Return the shape it writes; `country` is the tenant's own."""
        kinds = tuple(self.kinds or KINDS)
        return Shape(
            seed=self.seed,
            country=self.country or country,
            kinds=kinds,
            personas=self.personas or len(kinds),
            months=self.months,
            accounts=self.accounts,
            transactions=self.transactions,
        )


class ResetBody(Body):
    """`POST …/data/reset`; the body may be left out."""

    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None


def generated_json(seed: Seed, password: str) -> dict[str, object]:
    """Write who was made."""
    accounts = {account.id: account for account in seed.accounts}
    held: dict[str, list[dict[str, object]]] = {psu.id: [] for psu in seed.psus}
    for login, account_id in seed.holders:
        account = accounts[account_id]
        number: dict[str, object] = {"pan": account.pan} if account.is_card else {"iban": account.iban}
        held[login].append({"id": account.id, **number, "currency": account.currency})
    personas = [
        {"psu": psu.id, "name": psu.name, "purpose": psu.purpose, "password": password, "accounts": held[psu.id]}
        for psu in seed.psus
    ]
    return {"personas": personas, "transactions": len(seed.journal.entries) + len(seed.holds)}


def taken_json(taken: Taken) -> dict[str, object]:
    """Write what a tenant has now."""
    return {
        "psus": taken.psus,
        "accounts": taken.accounts,
        "transactions": taken.transactions,
        "rowsRemoved": taken.removed,
        "rowsWritten": taken.written,
    }
