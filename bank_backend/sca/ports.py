"""What strong customer authentication needs of the world: stores, secrets, and a way to the PSU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.database import Connection
    from bank_backend.inbox.model import Message
    from bank_backend.sca.enrolled import EnrolledMethod
    from bank_backend.sca.model import Challenge, WrongCodes
    from psd2.ids import PsuId, TenantId


class ChallengeStore(Protocol):
    """Where challenges are kept; each call works inside the caller's transaction."""

    def add(self, connection: Connection, challenge: Challenge) -> None:
        """Write a new challenge."""

    def save(self, connection: Connection, challenge: Challenge) -> None:
        """Write the challenge's new state over its old one."""

    def of_authorisation(self, connection: Connection, authorisation: str) -> list[Challenge]:
        """Return all challenges of an authorisation, oldest first, locked for the caller."""

    def seen_of(self, connection: Connection, authorisation: str) -> list[Challenge]:
        """Return all challenges of an authorisation, oldest first, for looking only."""

    def pushes_of(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[Challenge]:
        """Return the pushes that a PSU has not answered, newest first."""

    def find_locked(self, connection: Connection, challenge: str) -> Challenge | None:
        """Return one challenge, locked for the caller, or None."""


class WrongCodeStore(Protocol):
    """Where wrong codes in a row are counted; each call works inside the caller's transaction."""

    def of_psu(self, connection: Connection, tenant: TenantId, psu: PsuId) -> WrongCodes:
        """Return the PSU's count, locked for the caller."""

    def save(self, connection: Connection, tenant: TenantId, psu: PsuId, counted: WrongCodes) -> None:
        """Write the PSU's count."""


class MethodStore(Protocol):
    """Where methods are kept; each call works inside the caller's transaction."""

    def of_psu(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[EnrolledMethod]:
        """Return the PSU's methods in its order, unfinished ones too."""

    def locked_of_psu(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[EnrolledMethod]:
        """Return the same; one caller at a time for a PSU."""

    def save(self, connection: Connection, enrolled: EnrolledMethod) -> None:
        """Write the method's new state over its old one."""

    def use_step(self, connection: Connection, method: str, step: int) -> bool:
        """Note a TOTP step as used; False where it, or a later one, has been used meanwhile."""

    def add(self, connection: Connection, enrolled: Sequence[EnrolledMethod]) -> None:
        """Write new methods."""

    def remove(self, connection: Connection, method: str) -> None:
        """Take a method away."""


class Secrets(Protocol):
    """Where a TOTP's secret comes from."""

    def secret_of(self, enrolled: EnrolledMethod) -> bytes:
        """Return the secret."""


class Deliveries(Protocol):
    """The way to the PSU."""

    def deliver(self, connection: Connection, message: Message) -> None:
        """Deliver a message inside the caller's transaction."""
