"""A tenant's registration and data as JSON (docs/architecture.md §3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints, field_validator

from bank_backend.accounts.information import AccountView
from bank_backend.accounts.model import AccountRights
from bank_backend.accounts.report_wire import details_json
from bank_backend.accounts.wire import balances_json
from bank_backend.bodies import Body
from bank_backend.personas.countries import require_country
from bank_backend.tenants.model import Registration
from psd2.roles import parse_role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.accounts.model import Account
    from bank_backend.ledger.statements import StatementLine
    from bank_backend.tenants.books import AccountBook, BookedAccount
    from bank_backend.tenants.model import Resident, Tenant
    from psd2.ids import TenantId

_MOST_ROLES = 8
_LARGEST_SEED = 2**63 - 1
_MOST_REDIRECT_URIS = 20
_RedirectUri = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class RegistrationBody(Body):
    """`PUT /internal/tenants/{n}`."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=140)]
    country: str
    roles: Annotated[list[str], Field(min_length=1, max_length=_MOST_ROLES)]
    seed: Annotated[int, Field(ge=0, le=_LARGEST_SEED)] | None = None
    redirect_uris: Annotated[list[_RedirectUri], Field(default_factory=list, max_length=_MOST_REDIRECT_URIS)]

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str) -> str:
        return require_country(value)

    @field_validator("roles")
    @classmethod
    def _known_roles(cls, value: list[str]) -> list[str]:
        return [parse_role(text).value for text in value]

    def parsed(self, tenant: TenantId) -> Registration:
        """Return the registration it writes."""
        roles = frozenset(parse_role(text) for text in self.roles)
        return Registration(
            tenant=tenant,
            name=self.name,
            country=self.country,
            roles=roles,
            seed=self.seed,
            redirect_uris=tuple(self.redirect_uris),
        )


def data_json(tenant: Tenant, residents: Sequence[Resident]) -> dict[str, object]:
    """Return who lives in a tenant, with what to log in."""
    return {"tenant": tenant.id, "personas": [_resident_json(tenant, resident) for resident in residents]}


def _resident_json(tenant: Tenant, resident: Resident) -> dict[str, object]:
    return {
        "psu": resident.psu.id,
        "name": resident.psu.name,
        "purpose": resident.psu.purpose,
        "password": tenant.persona_password,
        "accounts": [_held_json(one) for one in resident.accounts],
    }


def _held_json(account: Account) -> dict[str, object]:
    body: dict[str, object] = {"id": account.id, "iban": account.iban, "currency": account.currency}
    # A card has a number in the place of an IBAN. It is nobody's: told whole, as test data.
    return body | {"pan": account.pan, "maskedPan": account.masked_pan} if account.is_card else body


def accounts_json(tenant: TenantId, accounts: Sequence[BookedAccount]) -> dict[str, object]:
    """Return the accounts of a tenant with what they have."""
    return {"tenant": tenant, "accounts": [_account_json(one) for one in accounts]}


def book_json(book: AccountBook) -> dict[str, object]:
    """Return an account with a page of its movements, each as `transactionDetails` would show it to a TPP."""
    account, older_than = book.held.account, book.booked.older_than
    return {
        "account": _account_json(book.held),
        "booked": [_movement_json(line, account) for line in book.booked.lines],
        "pending": [_movement_json(line, account) for line in book.pending],
        "next": None if older_than is None else str(older_than),
    }


def _account_json(held: BookedAccount) -> dict[str, object]:
    account = held.account
    return {
        "id": account.id,
        "iban": account.iban,
        "currency": account.currency,
        "name": account.name,
        "product": account.product,
        "balances": balances_json([held.balances]),
    }


def _movement_json(line: StatementLine, account: Account) -> dict[str, object]:
    everything = AccountRights(account_id=account.id, balances=True, transactions=True, owner_name=True)
    return details_json(line, AccountView(account, everything, (account,)))
