"""What TPPs do with signing baskets: group, read, follow, take apart (BG IG 1.3.8 §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.asks import AccountChoice
from bank_backend.authorisations.model import SIGNED, ResourceKind
from bank_backend.authorisations.service import refuse_grouped
from bank_backend.baskets.errors import BasketUnknown, ReferencedResourceUnknown, ReferenceMixInvalid, ReferenceStatusInvalid
from bank_backend.baskets.model import Basket, BasketStatus
from bank_backend.errors import FormatError, ResourceBlocked, ResourceUnknown
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.authorisations.service import Authorisations
    from bank_backend.authorisations.signing import Signing
    from bank_backend.baskets.expiry import BasketExpiry
    from bank_backend.baskets.model import Member
    from bank_backend.baskets.wire import Grouping
    from bank_backend.database import Connection, Database
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import TenantId


class BasketStore(Protocol):
    """Where baskets are kept; each call works inside the caller's transaction."""

    def lock_grouping(self, connection: Connection, tenant: TenantId) -> None:
        """Let a tenant's groupings go one after the other."""

    def add(self, connection: Connection, basket: Basket) -> None:
        """Write a new basket with its members."""

    def save(self, connection: Connection, basket: Basket) -> None:
        """Write the basket's new state over its old one."""

    def find(self, connection: Connection, tenant: TenantId, basket_id: str) -> Basket | None:
        """Return the tenant's basket, or None."""

    def find_locked(self, connection: Connection, tenant: TenantId, basket_id: str) -> Basket | None:
        """Return the tenant's basket, locked until the transaction ends, or None."""

    def of_request(self, connection: Connection, tenant: TenantId, x_request_id: str) -> Basket | None:
        """Return the basket that a request made, or None."""

    def undecided_with(self, connection: Connection, tenant: TenantId, resources: Sequence[str]) -> list[Basket]:
        """Return the undecided baskets that hold one of the resources."""


class Membership:
    """Keeps what is in an undecided basket from being authorised on its own (BG IG §14.11.1: RESOURCE_BLOCKED)."""

    def __init__(self, *, store: BasketStore, clock: TenantClock) -> None:
        """Ask the baskets in `store`."""
        self._store = store
        self._clock = clock

    def require_free(self, connection: Connection, tenant: TenantId, resource: str) -> None:
        """Raise `ResourceBlocked` for what an undecided basket holds."""
        basket = self.holder_of(connection, tenant, resource)
        if basket is not None:
            raise refuse_grouped(basket.id)

    def holder_of(self, connection: Connection, tenant: TenantId, resource: str) -> Basket | None:
        """Return the undecided basket that holds a resource, or None."""
        now = self._clock.now(tenant, connection)
        found = (basket.settled(now) for basket in self._store.undecided_with(connection, tenant, [resource]))
        return next((basket for basket in found if basket.is_undecided), None)


class Baskets:
    """Baskets as TPPs see them; deciding on them is `baskets.approval`'s."""

    def __init__(
        self,
        *,
        database: Database,
        store: BasketStore,
        expiry: BasketExpiry,
        membership: Membership,
        authorisations: Authorisations,
        signing: Signing,
        clock: TenantClock,
    ) -> None:
        """Keep baskets in `store`, in transactions of `database`; `expiry` ends those that nobody decides on."""
        self._database = database
        self._store = store
        self._expiry = expiry
        self._membership = membership
        self._authorisations = authorisations
        self._signing = signing
        self._clock = clock

    def group(self, tenant: TenantId, grouping: Grouping, *, x_request_id: str) -> Basket:
        """Group payments and consents; from now on they are authorised together. The same request again groups nothing anew.

        Raises `ReferencedResourceUnknown`, `ReferenceStatusInvalid`, `ReferenceMixInvalid`, `ResourceBlocked`, `FormatError`.
        """
        with self._database.writing() as connection:
            self._store.lock_grouping(connection, tenant)
            first = self._store.of_request(connection, tenant, x_request_id.lower())
            if first is not None:
                return _repeated(first, grouping).settled(self._clock.now(tenant, connection))
            basket = _new(tenant, grouping, x_request_id, self._clock.now(tenant, connection))
            for member, path in zip(grouping.members, grouping.paths, strict=True):
                self._take(connection, tenant, member, path)
            self._store.add(connection, basket)
            self._expiry.plan(connection, basket)
        return basket

    def basket(self, tenant: TenantId, basket_id: str) -> Basket:
        """Return the TPP's basket as it stands now; raises `BasketUnknown`."""
        with self._database.reading() as connection:
            found = _required(self._store.find(connection, tenant, basket_id), basket_id)
            return found.settled(self._clock.now(tenant, connection))

    def delete(self, tenant: TenantId, basket_id: str) -> None:
        """Take a basket apart that nobody has signed; what is in it waits as before. Raises `BasketUnknown`, `IllegalMove`."""
        with self._database.writing() as connection:
            self._authorisations.end_open_of(connection, tenant=tenant, kind=ResourceKind.BASKET, resource=basket_id)
            found = _required(self._store.find_locked(connection, tenant, basket_id), basket_id)
            now = self._clock.now(tenant, connection)
            self._store.save(connection, found.settled(now).moved(BasketStatus.CANC))

    def _take(self, connection: Connection, tenant: TenantId, member: Member, path: str) -> None:
        """Take a resource into a basket: it waits for somebody, nobody has signed it, and no other basket holds it."""
        try:
            ask = self._signing.ask_of(connection, tenant=tenant, kind=member.kind, resource=member.resource)
        except ResourceUnknown:
            raise ReferencedResourceUnknown(f"this TPP has no resource {member.resource[:40]!r}", path=path) from None
        if ask is None or self._is_signed(connection, tenant, member):
            text = f"{member.resource} is authorised already, wholly or in part, or waits for nobody any more: leave it out"
            raise ReferenceStatusInvalid(text, path=path)
        if ask.choice is not AccountChoice.NAMED:
            text = f"{member.resource} leaves the accounts to the PSU: consents in a basket name theirs"
            raise ReferenceMixInvalid(text, path=path)
        holder = self._membership.holder_of(connection, tenant, member.resource)
        if holder is not None:
            raise ResourceBlocked(f"{member.resource} is in the signing basket {holder.id} already", path=path)
        self._authorisations.end_open_of(connection, tenant=tenant, kind=member.kind, resource=member.resource)

    def _is_signed(self, connection: Connection, tenant: TenantId, member: Member) -> bool:
        now = self._clock.now(tenant, connection)
        found = self._authorisations.of_resource(connection, tenant=tenant, kind=member.kind, resource=member.resource, now=now)
        return any(each.status in SIGNED for each in found)


def _new(tenant: TenantId, grouping: Grouping, x_request_id: str, now: datetime) -> Basket:
    return Basket(
        id=new_uuid(),
        tenant=tenant,
        # A UUID's hexadecimal digits mean the same in either case.
        x_request_id=x_request_id.lower(),
        request_digest=grouping.digest,
        members=grouping.members,
        status=BasketStatus.RCVD,
        psu=None,
        received_at=now,
    )


def _repeated(first: Basket, grouping: Grouping) -> Basket:
    if first.request_digest != grouping.digest:
        text = "this X-Request-ID has made another signing basket already: send each under a new UUID"
        raise FormatError(text, path="X-Request-ID")
    return first


def _required(found: Basket | None, basket_id: str) -> Basket:
    if found is None:
        raise BasketUnknown(f"this TPP has no signing basket {basket_id[:40]!r}")
    return found
