"""Multi-currency accounts: the sub-accounts of one IBAN seen as one account in the currency XXX (BG IG 1.3.8 §4.5, §6.2)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bank_backend.accounts.model import Account, AccountRights, AccountStatus
from psd2.ids import AccountId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# ISO 4217: no currency; what an account that is a collection is kept in (BG IG §6.5.2).
NO_CURRENCY: Final = "XXX"
_NAMES: Final = uuid.UUID("a9a2cf0e-0c38-4a6e-8f0d-51b4a4a1f6f3")


@dataclass(frozen=True, slots=True)
class Collection:
    """All sub-accounts of one IBAN. It has no book of its own: whatever is read of it is read of its members."""

    members: tuple[Account, ...]

    @property
    def account(self) -> Account:
        """The collection as an account: the first sub-account's, but for what each has for itself."""
        first = self.members[0]
        return replace(
            first,
            id=collection_id(first),
            currency=NO_CURRENCY,
            name=_NAME,
            display_name="",
            details="",
            status=_joint_status(self.members),
        )

    def rights(self, rights: Iterable[AccountRights]) -> AccountRights:
        """Return what is granted on the whole: what is granted on every member."""
        ids = {member.id for member in self.members}
        of_members = [right for right in rights if right.account_id in ids]
        return AccountRights(
            account_id=self.account.id,
            balances=all(right.balances for right in of_members),
            transactions=all(right.transactions for right in of_members),
            owner_name=all(right.owner_name for right in of_members),
        )


_NAME: Final = "All currencies"


def collection_id(member: Account) -> AccountId:
    """Return the resource id of the collection that this account is in; the same each time."""
    return AccountId(str(uuid.uuid5(_NAMES, f"{member.tenant} {member.iban}")))


def shared_ibans(accounts: Sequence[Account]) -> list[str]:
    """Return the IBANs that several of these accounts have."""
    ibans = [account.iban for account in accounts if account.iban]
    return [iban for iban in dict.fromkeys(ibans) if ibans.count(iban) > 1]


def _joint_status(members: Sequence[Account]) -> AccountStatus:
    statuses = {member.status for member in members}
    return statuses.pop() if len(statuses) == 1 else AccountStatus.ENABLED
