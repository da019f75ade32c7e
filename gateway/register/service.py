"""The register of TPPs and clients: what may be changed, and how a client is found."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gateway.configuration.changes import WHATEVER_STANDS
from gateway.register.certificates import require_own_certificates
from gateway.register.client_addresses import faults_of_addresses
from gateway.register.client_rules import require_consistent_client
from gateway.register.model import (
    Client,
    ClientOfAnotherTpp,
    ClientProfile,
    Fault,
    RegisterRefusal,
    TooManyClients,
    Tpp,
    UnknownTpp,
)
from psd2.authorisation_number import AuthorisationNumber, InvalidAuthorisationNumber

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime

    from gateway.configuration.changes import Precondition
    from psd2.clock import Clock


class RegisterView(Protocol):
    """The register as it stands: between two changes, or in the transaction of one."""

    def tpp(self, authorisation_number: str) -> Tpp | None:
        """Return the TPP, or None."""

    def client(self, client_id: str) -> Client | None:
        """Return the client, or None."""

    def clients_of(self, authorisation_number: str) -> Sequence[Client]:
        """Return the clients of a TPP, by client id."""

    def taken_certificates(self, sha256s: Collection[str], *, besides: str) -> frozenset[str]:
        """Return those of the certificates that clients of other TPPs than `besides` have registered."""


class RegisterStore(Protocol):
    """Where TPPs and clients are kept. Every change also tells the change feed, in the same transaction."""

    def tpp(self, authorisation_number: str) -> Tpp | None:
        """Return the TPP, or None."""

    def client(self, client_id: str) -> Client | None:
        """Return the client, or None."""

    def clients_of(self, authorisation_number: str) -> Sequence[Client]:
        """Return the clients of a TPP, by client id."""

    def registered(self, client_id: str) -> RegisteredClient | None:
        """Return the client together with its TPP, or None."""

    def tpps(self) -> Sequence[Tpp]:
        """Return every TPP, by authorisation number."""

    def save_tpp(self, tpp: Tpp, at: datetime, expected: Precondition = WHATEVER_STANDS) -> bool:
        """Keep the TPP; returns whether it is new; raises `PreconditionFailed`."""

    def change_client(
        self,
        client_id: str,
        decide: Callable[[RegisterView], Client],
        at: datetime,
        expected: Precondition = WHATEVER_STANDS,
    ) -> SavedClient:
        """Keep what `decide` makes of the register, which nobody else changes meanwhile; raises `PreconditionFailed`."""

    def delete_client(self, client_id: str, at: datetime, expected: Precondition = WHATEVER_STANDS) -> bool:
        """Delete the client and revoke all its tokens; returns whether it was there; raises `PreconditionFailed`."""


class RegisteredClient(NamedTuple):
    """A client, and the TPP whose it is."""

    client: Client
    tpp: Tpp


class SavedClient(NamedTuple):
    """A client as it is kept now, and whether it is new."""

    client: Client
    is_new: bool


class Register:
    """TPPs and their clients."""

    def __init__(self, *, store: RegisterStore, clock: Clock, internal_hosts: frozenset[str] = frozenset()) -> None:
        """Let clients name addresses on the public internet, and the hosts inside, `host:port`, that the operator names."""
        self._store = store
        self._clock = clock
        self._internal_hosts = internal_hosts

    def tpp(self, authorisation_number: str) -> Tpp | None:
        """Return the TPP, or None."""
        return self._store.tpp(authorisation_number)

    def tpps(self) -> Sequence[Tpp]:
        """Return every TPP, by authorisation number."""
        return self._store.tpps()

    def save_tpp(self, tpp: Tpp, expected: Precondition = WHATEVER_STANDS) -> bool:
        """Register or change a TPP; returns whether it is new; raises `RegisterRefusal`, `PreconditionFailed`."""
        _require_consistent(tpp)
        return self._store.save_tpp(tpp, self._clock.now(), expected)

    def client(self, client_id: str) -> Client | None:
        """Return the client with this id, or None."""
        return self._store.client(client_id)

    def clients_of(self, authorisation_number: str) -> Sequence[Client]:
        """Return the clients of a TPP, by client id."""
        return self._store.clients_of(authorisation_number)

    def registered(self, client_id: str) -> RegisteredClient | None:
        """Return the client that a TPP means, together with the TPP.

        An authorisation number stands for the TPP's only Berlin Group client: BG IG 1.3.8 §13.1 lets a TPP name itself by
        the organizationIdentifier of its certificate.
        """
        found = self._store.registered(client_id)
        if found is not None or not client_id.startswith("PSD"):
            return found
        theirs = [client for client in self._store.clients_of(client_id) if client.profile is ClientProfile.BERLIN]
        return self._store.registered(theirs[0].client_id) if len(theirs) == 1 else None

    def save_client(self, client: Client, expected: Precondition = WHATEVER_STANDS, *, most_of_tpp: int | None = None) -> bool:
        """Register or change a client; returns whether it is new; raises what `change_client` raises."""
        return self.change_client(client.client_id, lambda _standing: client, expected, most_of_tpp=most_of_tpp).is_new

    def change_client(
        self,
        client_id: str,
        wanted: Callable[[Client | None], Client],
        expected: Precondition = WHATEVER_STANDS,
        *,
        most_of_tpp: int | None = None,
    ) -> SavedClient:
        """Register or change a client to what `wanted` makes of the one that stands.

        Raises `RegisterRefusal`, for a new one too where its TPP has `most_of_tpp` already, and `PreconditionFailed`.
        """

        def decide(view: RegisterView) -> Client:
            standing = view.client(client_id)
            client = wanted(standing)
            _require_owner(client, standing, view)
            if standing is None and most_of_tpp is not None:
                _require_room(client, view, most_of_tpp)
            require_consistent_client(client, self.faults_of_addresses(client, standing))
            require_own_certificates(client, partial(view.taken_certificates, besides=client.authorisation_number))
            return client

        return self._store.change_client(client_id, decide, self._clock.now(), expected)

    def faults_of_addresses(self, client: Client, standing: Client | None) -> Iterator[Fault]:
        """Give the addresses of a client that nothing would ever come of, but for those that it has already."""
        return faults_of_addresses(client, standing, internal_hosts=self._internal_hosts)

    def delete_client(self, client_id: str, expected: Precondition = WHATEVER_STANDS) -> bool:
        """Delete a client and revoke its tokens; returns whether it was there; raises `PreconditionFailed`."""
        return self._store.delete_client(client_id, self._clock.now(), expected)


def _require_owner(client: Client, standing: Client | None, view: RegisterView) -> None:
    if view.tpp(client.authorisation_number) is None:
        raise UnknownTpp("authorisation_number", f"no TPP {client.authorisation_number} is registered: register it first")
    if standing is not None and standing.authorisation_number != client.authorisation_number:
        raise ClientOfAnotherTpp("client_id", f"{client.client_id} belongs to another TPP: choose another client_id")


def _require_room(client: Client, view: RegisterView, most: int) -> None:
    if len(view.clients_of(client.authorisation_number)) >= most:
        raise TooManyClients("client_id", f"the TPP has {most} clients: delete one that is no longer used")


def _require_consistent(tpp: Tpp) -> None:
    try:
        number = AuthorisationNumber.parse(tpp.authorisation_number)
    except InvalidAuthorisationNumber as error:
        raise RegisterRefusal("authorisation_number", str(error)) from error
    if tpp.nca_id != number.nca_id:
        reason = f"{tpp.nca_id!r} is not the authority that {number} names: write {number.nca_id}"
        raise RegisterRefusal("nca_id", reason)
    if tpp.country != number.country:
        reason = f"{tpp.country!r} is not the country that {number} names: write {number.country}"
        raise RegisterRefusal("country", reason)
    if not tpp.roles:
        raise RegisterRefusal("roles", "a TPP needs at least one role: PSP_AI, PSP_PI, PSP_IC or PSP_AS")
