"""Interactions as the authorization server sees them: begin, follow, decide without a browser (architecture §3.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.addresses import with_query
from bank_backend.authorisations.approaches import REDIRECTS
from bank_backend.authorisations.asks import chosen_accounts
from bank_backend.authorisations.model import ResourceKind
from bank_backend.authorisations.service import Start
from bank_backend.errors import FieldsInvalid, FormatError, PsuUnknown
from bank_backend.headers import LONGEST_ADDRESS
from bank_backend.interactions.decisions import require_interaction, require_pending
from bank_backend.interactions.errors import InteractionOver, InteractionUnknown
from bank_backend.interactions.model import INTERACTION_LIFETIME, Interaction, InteractionStatus, Step
from bank_backend.tenants.arrival_store import arrived
from bank_backend.tenants.arrivals import answering
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.accounts.model import Account
    from bank_backend.authorisations.model import Authorisation
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.authorisations.signing import Signing
    from bank_backend.database import Connection, Database
    from bank_backend.interactions.decisions import Decisions, InteractionStore
    from bank_backend.interactions.wire import HeadlessDecision, InteractionRequest
    from bank_backend.psus.model import Psu
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import PsuId, TenantId


class Customers(Protocol):
    """The part of the PSU directory that interactions need."""

    def psu(self, tenant: TenantId, login: str, connection: Connection | None = None) -> Psu | None:
        """Return the PSU of this login, or None; inside a transaction pass its connection."""

    def verify_password(self, tenant: TenantId, login: str, password: str) -> Psu:
        """Return the PSU whose password this is; raises `PsuCredentialsInvalid` or `PsuLocked`."""


class Holdings(Protocol):
    """The part of the account directory that interactions need."""

    def accounts_of(self, tenant: TenantId, psu: PsuId, connection: Connection | None = None) -> Sequence[Account]:
        """Return the accounts this PSU holds, in a stable order; inside a transaction pass its connection."""


class Interactions:
    """The back channel's side of a PSU's visit."""

    def __init__(
        self,
        *,
        database: Database,
        store: InteractionStore,
        decisions: Decisions,
        authorisations: Authorisations,
        signing: Signing,
        customers: Customers,
        holdings: Holdings,
        clock: TenantClock,
        front_url: str,
    ) -> None:
        """Send browsers to pages under `front_url`, and only ever back to addresses under it."""
        self._database = database
        self._store = store
        self._decisions = decisions
        self._authorisations = authorisations
        self._signing = signing
        self._customers = customers
        self._holdings = holdings
        self._clock = clock
        self._front_url = front_url

    def begin(self, request: InteractionRequest) -> Interaction:
        """Begin a visit; one to the same resource that is still open ends, so that a resource is decided in one place.

        Where several PSUs have to sign, the visits of those that have signed in go on beside it.
        Raises `FieldsInvalid`, `ResourceUnknown` or `StatusInvalid`.
        """
        self.require_own_address(request.return_url)
        with (
            self._database.writing() as connection,
            answering(arrived(request.tenant, connection)),
        ):
            now = self._clock.now(request.tenant, connection)
            request = replace(request, kind=self._kind_meant(connection, request))
            earlier = self._store.pending_of(connection, request.tenant, request.kind, request.resource)
            # Raises where the resource is unknown or decided; nothing is kept then.
            is_shared = self._signing.is_shared(connection, tenant=request.tenant, kind=request.kind, resource=request.resource)
            for each in earlier:
                if not (is_shared and each.psu is not None):
                    self._decisions.expire(connection, each, at=now)
            interaction = self._new(connection, request, now, is_shared=is_shared)
            self._store.add(connection, interaction)
        return interaction

    def begin_first(self, connection: Connection, request: InteractionRequest) -> Interaction:
        """Begin the first visit to what this transaction has made, and nobody else can know of; raises `FieldsInvalid`."""
        self.require_own_address(request.return_url)
        now = self._clock.now(request.tenant, connection)
        how = Start(until=now + INTERACTION_LIFETIME)
        authorisation = self._authorisations.start_first(
            connection, tenant=request.tenant, kind=request.kind, resource=request.resource, now=now, how=how
        )
        visit = _begun(authorisation, _way_of(request), now)
        self._store.add(connection, visit)
        return visit

    def enter(self, authorisation_id: str, *, state: str | None) -> Interaction:
        """Return the visit of a PSU that `scaRedirect` led here: the one that is under way, or a new one (BG IG §5.1.1).

        Raises `InteractionUnknown`, `InteractionOver`, and `FormatError` for a state that makes the way back too long.
        """
        with self._database.writing() as connection:
            found = self._authorisations.found(connection, authorisation_id)
            if found is None or found.approach not in REDIRECTS or found.return_url is None:
                raise InteractionUnknown("there is no request at this address: it may have been mistyped")
            now = self._clock.now(found.tenant, connection)
            name = self._signing.tpp(connection, found.tenant).name
            nok_return_url = _with_state(found.nok_return_url or found.return_url, state)
            way = _Way(found.tenant, name, _with_state(found.return_url, state), nok_return_url)
            visit = self._standing(connection, found, way, now)
            return self._entered(connection, found.settled(now), way, now) if visit is None else visit

    def url_of(self, interaction: Interaction) -> str:
        """Return the page's address for the browser."""
        return f"{self._front_url}/psu/{interaction.id}"

    def interaction(self, interaction_id: str) -> Interaction:
        """Return the visit as it stands now; raises `InteractionUnknown`."""
        with self._database.reading() as connection:
            interaction = require_interaction(self._store.find(connection, interaction_id), interaction_id)
            return interaction.settled(self._clock.now(interaction.tenant, connection))

    def decide(self, interaction_id: str, decision: HeadlessDecision) -> Interaction:
        """Decide as the PSU would, without its password and code; raises `InteractionOver`, `PsuUnknown`, `FieldsInvalid`."""
        with self._database.writing() as connection:
            found = require_interaction(self._store.find_locked(connection, interaction_id), interaction_id)
            with answering(arrived(found.tenant, connection)):
                return self.decided(connection, found, decision)

    def decided(self, connection: Connection, found: Interaction, decision: HeadlessDecision) -> Interaction:
        """Return a locked visit, or one of this transaction's own, with that decision taken; raises as `decide` does."""
        tenant, now = found.tenant, self._clock.now(found.tenant, connection)
        psu = self._customers.psu(tenant, decision.psu, connection)
        if psu is None:
            raise PsuUnknown(f"the bank has no PSU {decision.psu[:40]!r} for this TPP", path="psu")
        interaction = require_pending(found, now)
        if not decision.approves:
            return self._decisions.reject(connection, interaction, psu=psu.id, at=now, headless=True)
        ask = self._decisions.ask(connection, interaction, now)
        accounts = chosen_accounts(ask, self._holdings.accounts_of(tenant, psu.id, connection), decision.accounts)
        return self._decisions.approve(connection, interaction, psu=psu.id, accounts=accounts, at=now, headless=True)

    def require_own_address(self, return_url: str, *, field: str = "return_url") -> None:
        """Raise `FieldsInvalid` for an address elsewhere: the pages redirect there, the bank would be an open redirector."""
        if not return_url.startswith(f"{self._front_url}/"):
            raise FieldsInvalid({field: f"must be an address under {self._front_url}/"})

    def _kind_meant(self, connection: Connection, request: InteractionRequest) -> ResourceKind:
        """Return what a scope is about: `PIS` names a payment, or the cancellation of one that is authorised (BG IG §13.1)."""
        if request.kind is not ResourceKind.PIS or not self._signing.can_decide(ResourceKind.CANCELLATION):
            return request.kind
        tenant, resource = request.tenant, request.resource
        if self._signing.ask_of(connection, tenant=tenant, kind=ResourceKind.PIS, resource=resource) is not None:
            return ResourceKind.PIS
        ask = self._signing.ask_of(connection, tenant=tenant, kind=ResourceKind.CANCELLATION, resource=resource)
        return ResourceKind.PIS if ask is None else ResourceKind.CANCELLATION

    def _new(self, connection: Connection, request: InteractionRequest, now: datetime, *, is_shared: bool) -> Interaction:
        authorisation = self._authorisations.begin_visit(
            connection,
            tenant=request.tenant,
            kind=request.kind,
            resource=request.resource,
            now=now,
            until=now + INTERACTION_LIFETIME,
            is_shared=is_shared,
        )
        return _begun(authorisation, _way_of(request), now)

    def _entered(self, connection: Connection, authorisation: Authorisation, way: _Way, now: datetime) -> Interaction:
        if not authorisation.is_open:
            raise InteractionOver(f"this request is {authorisation.status}: it is decided once")
        visit = _begun(authorisation, way, now)
        # Raises where the resource is decided; nothing is kept then.
        self._decisions.ask(connection, visit, now)
        self._store.add(connection, visit)
        return visit

    def _standing(self, connection: Connection, authorisation: Authorisation, way: _Way, now: datetime) -> Interaction | None:
        """Return the visit by redirect that is under way for an authorisation; visits by OAuth to the same give way to it."""
        found = self._store.pending_of(connection, authorisation.tenant, authorisation.kind, authorisation.resource)
        for visit in found:
            if visit.authorisation != authorisation.id:
                continue
            if visit.settled(now).is_pending and visit.nok_return_url is not None:
                return self._reopened(connection, visit, way)
            self._decisions.expire(connection, visit, at=now)
        return None

    def _reopened(self, connection: Connection, visit: Interaction, way: _Way) -> Interaction:
        if visit.session is not None:
            return visit
        # Nobody has signed in: who comes now brings the state of its own browser (BG IG §7.6.2).
        renewed = replace(visit, return_url=way.return_url, nok_return_url=way.nok_return_url)
        self._decisions.save(connection, renewed)
        return renewed


@dataclass(frozen=True, slots=True)
class _Way:
    """For whom the PSU comes, and where it goes afterwards."""

    client_id: str
    client_name: str
    return_url: str
    nok_return_url: str | None = None


def _way_of(request: InteractionRequest) -> _Way:
    return _Way(request.client_id, request.client_name, request.return_url)


def _begun(authorisation: Authorisation, way: _Way, now: datetime) -> Interaction:
    return Interaction(
        id=new_uuid(),
        tenant=authorisation.tenant,
        kind=authorisation.kind,
        resource=authorisation.resource,
        authorisation=authorisation.id,
        client_id=way.client_id,
        client_name=way.client_name,
        return_url=way.return_url,
        nok_return_url=way.nok_return_url,
        status=InteractionStatus.PENDING,
        step=Step.LOGIN,
        login_failures=0,
        psu=None,
        session=None,
        accounts=None,
        headless=False,
        created_at=now,
        expires_at=min(now + INTERACTION_LIFETIME, authorisation.expires_at),
        decided_at=None,
    )


def _with_state(address: str, state: str | None) -> str:
    if state is None:
        return address
    back = with_query(address, state=state)
    if len(back) > LONGEST_ADDRESS:
        text = f"with this state the way back would have {len(back)} characters, and {LONGEST_ADDRESS} are taken"
        raise FormatError(f"state is too long: {text}", path="state")
    return back
