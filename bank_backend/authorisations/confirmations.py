"""The TPP's confirmation of a redirect: only then does the PSU's approval count (BG IG 1.3.8 §7.6).

It shows that the browser in which the PSU approved has come back to the TPP that asked, and to nobody else.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.model import ScaStatus
from psd2.ids import AccountId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.accounts.model import Account
    from bank_backend.authorisations.model import Authorisation
    from bank_backend.authorisations.signing import Signing
    from bank_backend.authorisations.standing import Standing, Target
    from bank_backend.database import Database
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import TenantId


class AccountsById(Protocol):
    """The part of the account directory that is asked here."""

    def accounts(self, tenant: TenantId, account_ids: Sequence[AccountId]) -> list[Account]:
        """Return the accounts of these ids, in their order."""


class Confirmations:
    """Takes confirmations; a wrong code ends the authorisation, so that none can be tried out."""

    def __init__(
        self, *, database: Database, standing: Standing, signing: Signing, accounts: AccountsById, clock: TenantClock
    ) -> None:
        """Confirm in transactions of `database`."""
        self._database = database
        self._standing = standing
        self._signing = signing
        self._accounts = accounts
        self._clock = clock

    def by_code(self, target: Target, code: str) -> Authorisation:
        """Return the authorisation, finalised by the right code and failed by another; raises `StatusInvalid`, `ScaInvalid`."""
        return self._confirmed(target, code)

    def by_token(self, target: Target) -> Authorisation:
        """Return the authorisation, finalised: the access token, which the caller has judged, stands for the code."""
        return self._confirmed(target, None)

    def _confirmed(self, target: Target, code: str | None) -> Authorisation:
        waiting = {ScaStatus.UNCONFIRMED}
        seen = self._standing.seen(target, waiting, path="confirmationCode")
        accounts = tuple(self._accounts.accounts(target.tenant, _ids(seen)))
        with self._database.writing() as connection:
            known = self._standing.locked(connection, target, waiting, path="confirmationCode")
            if code is not None and not compare_digest(code.encode(), (known.confirmation_code or "").encode()):
                return self._signing.fail(connection, known)
            now = self._clock.now(target.tenant, connection)
            return self._signing.confirm(connection, known, accounts=accounts, at=now)


def _ids(authorisation: Authorisation) -> Sequence[AccountId]:
    return [AccountId(each) for each in authorisation.accounts or ()]
