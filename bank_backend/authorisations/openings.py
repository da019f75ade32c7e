"""How authorisation begins: by itself along with the resource, or when the TPP starts it (BG IG 1.3.8 §4.6, §7.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.addresses import require_own_address
from bank_backend.authorisations.approaches import REDIRECTS, chosen_approach
from bank_backend.authorisations.asks import AccountChoice
from bank_backend.authorisations.errors import PsuIdUnknown, require_no_corporate_id
from bank_backend.authorisations.model import ResourceKind
from bank_backend.authorisations.opening import Opening
from bank_backend.authorisations.service import Start
from bank_backend.database import one_at_a_time
from bank_backend.personalities.model import ScaApproach

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_backend.authorisations.model import Authorisation
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.authorisations.signing import Announcer, PersonalityOf, Signing
    from bank_backend.calls import TppCall
    from bank_backend.consents.service import Repeats
    from bank_backend.database import Connection, Database
    from bank_backend.psus.model import Psu
    from bank_backend.repeats.model import MakingRequest
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import PsuId, TenantId


class OpeningStore(Protocol):
    """Where TPPs' wishes are kept; each call works inside the caller's transaction."""

    def put(self, connection: Connection, opening: Opening) -> None:
        """Write the wishes for a resource over earlier ones."""

    def find(self, connection: Connection, tenant: TenantId, resource: str) -> Opening | None:
        """Return the wishes for a resource, or None where there were none."""


class Psus(Protocol):
    """The part of the PSU directory that is asked here."""

    def psu(self, tenant: TenantId, login: str) -> Psu | None:
        """Return the PSU of this login, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """How a resource can be authorised: the approach, what was started by itself or None, and what the TPP has said."""

    approach: ScaApproach
    offered: Sequence[ScaApproach]
    authorisation: Authorisation | None
    opening: Opening
    is_confirmed: bool
    # Started by an earlier request, which came in again.
    is_repeated: bool = False

    @property
    def started(self) -> Authorisation:
        """The authorisation, where one was started."""
        if self.authorisation is None:
            msg = "no authorisation was started"
            raise ValueError(msg)
        return self.authorisation


class Openings:
    """Opens resources for authorisation."""

    def __init__(
        self,
        *,
        database: Database,
        store: OpeningStore,
        authorisations: Authorisations,
        signing: Signing,
        announcer: Announcer,
        psus: Psus,
        repeats: Repeats,
        redirect_uris: Callable[[TenantId], Sequence[str]],
        personalities: PersonalityOf,
        clock: TenantClock,
    ) -> None:
        """Keep wishes in `store`, in transactions of `database`; `redirect_uris` are those that a TPP has registered."""
        self._database = database
        self._store = store
        self._authorisations = authorisations
        self._signing = signing
        self._announcer = announcer
        self._psus = psus
        self._repeats = repeats
        self._redirect_uris = redirect_uris
        self._personalities = personalities
        self._clock = clock

    def require_possible(
        self, call: TppCall, *, domains: Sequence[str], psu_chooses: bool = False, kind: ResourceKind | None = None
    ) -> None:
        """Raise before anything is made: a PSU that the bank does not know, an address that is not the TPP's, no approach.

        Raises `PsuIdUnknown`, `CorporateIdInvalid`, `FormatError`, `ServiceInvalid`.
        """
        said = self._said(Opening(tenant=call.tenant, resource=""), call, domains)
        chosen_approach(self._offered(call.tenant, kind), said, psu_chooses=psu_chooses)

    def open(
        self, call: TppCall, *, kind: ResourceKind, resource: str, domains: Sequence[str], implicit: bool = True
    ) -> Opened:
        """Open a resource that was just made; one that has been opened already stays as it is."""
        said = self._said(Opening(tenant=call.tenant, resource=resource), call, domains)
        with self._database.writing() as connection:
            # The same request may come in twice at once: the second finds what the first has opened.
            one_at_a_time(connection, "opening", call.tenant, resource)
            earlier = self._store.find(connection, call.tenant, resource)
            if earlier is None:
                self._store.put(connection, said)
            else:
                said = earlier.overlaid(call, said.psu)
            approach = self._approach(connection, kind, said)
            standing = self._standing(connection, kind, said)
            if standing is None and implicit and self._starts_by_itself(connection, call, kind, said, approach):
                standing = self._start(connection, kind, said, approach, is_shared=False)
        return self._opened(kind, said, approach, standing)

    def start(
        self, call: TppCall, *, kind: ResourceKind, resource: str, domains: Sequence[str], asked: MakingRequest
    ) -> Opened:
        """Start an authorisation at the TPP's word, with what it has said so far and says now.

        `asked` again returns the one that it started; raises `FormatError` where it asked for another.
        """
        said = self._said(Opening(tenant=call.tenant, resource=resource), call, domains)
        with self._database.writing() as connection:
            earlier = self._store.find(connection, call.tenant, resource)
            said = said if earlier is None else earlier.overlaid(call, said.psu)
            first = self._repeats.first(connection, asked)
            if first is not None:
                return self._repeated(connection, kind, said, first)
            approach = self._approach(connection, kind, said)
            is_shared = self._signing.is_shared(connection, tenant=call.tenant, kind=kind, resource=resource)
            started = self._start(connection, kind, said, approach, is_shared=is_shared)
            self._repeats.note(connection, asked, started.id)
        return self._opened(kind, said, approach, started)

    def has_started(self, asked: MakingRequest) -> bool:
        """Whether this request has started an authorisation already; raises `FormatError` where it asked for another."""
        with self._database.reading() as connection:
            return self._repeats.first(connection, asked) is not None

    def _repeated(self, connection: Connection, kind: ResourceKind, said: Opening, authorisation_id: str) -> Opened:
        standing = self._authorisations.one(
            connection,
            tenant=said.tenant,
            kind=kind,
            resource=said.resource,
            authorisation_id=authorisation_id,
            now=self._clock.now(said.tenant, connection),
        )
        return replace(self._opened(kind, said, standing.approach, standing), is_repeated=True)

    def _opened(self, kind: ResourceKind, said: Opening, approach: ScaApproach, authorisation: Authorisation | None) -> Opened:
        return Opened(
            approach=approach if authorisation is None else authorisation.approach,
            offered=self._offered(said.tenant, kind),
            authorisation=authorisation,
            opening=said,
            is_confirmed=self._personalities.of(said.tenant).confirmation,
        )

    def _offered(
        self, tenant: TenantId, kind: ResourceKind | None, connection: Connection | None = None
    ) -> tuple[ScaApproach, ...]:
        """Return the bank's approaches; OAuth has no scope for a signing basket (BG IG §13.1)."""
        offered = self._personalities.of(tenant, connection).approaches
        if kind is not ResourceKind.BASKET:
            return offered
        return tuple(approach for approach in offered if approach is not ScaApproach.OAUTH)

    def _said(self, opening: Opening, call: TppCall, domains: Sequence[str]) -> Opening:
        for path, address in (("TPP-Redirect-URI", call.redirect_uri), ("TPP-Nok-Redirect-URI", call.nok_redirect_uri)):
            require_own_address(address, domains, path=path, registered=partial(self._redirect_uris, call.tenant))
        return opening.overlaid(call, self._named_psu(call))

    def _named_psu(self, call: TppCall) -> PsuId | None:
        require_no_corporate_id(call)
        if call.psu_id is None:
            return None
        psu = self._psus.psu(call.tenant, call.psu_id)
        if psu is None:
            raise PsuIdUnknown(f"the bank has no PSU {call.psu_id[:40]!r} for this TPP", path="PSU-ID")
        return psu.id

    def _approach(self, connection: Connection, kind: ResourceKind, opening: Opening) -> ScaApproach:
        offered = self._offered(opening.tenant, kind, connection)
        return chosen_approach(offered, opening, psu_chooses=self._psu_chooses(connection, kind, opening))

    def _psu_chooses(self, connection: Connection, kind: ResourceKind, opening: Opening) -> bool:
        if kind is not ResourceKind.AIS:
            return False
        ask = self._signing.ask_of(connection, tenant=opening.tenant, kind=kind, resource=opening.resource)
        return ask is not None and ask.choice is AccountChoice.OFFERED

    def _standing(self, connection: Connection, kind: ResourceKind, opening: Opening) -> Authorisation | None:
        """Return the first authorisation of a resource that a repeated request has made already."""
        now = self._clock.now(opening.tenant, connection)
        found = self._authorisations.of_resource(
            connection, tenant=opening.tenant, kind=kind, resource=opening.resource, now=now
        )
        return found[0] if found else None

    def _starts_by_itself(
        self, connection: Connection, call: TppCall, kind: ResourceKind, said: Opening, approach: ScaApproach
    ) -> bool:
        """Whether nothing is missing and nothing speaks against it (BG IG §4.6; §5.8, §8.1: then always explicitly)."""
        if call.explicit_authorisation_preferred or kind is ResourceKind.BASKET:
            return False
        if not (approach in REDIRECTS or (approach is ScaApproach.DECOUPLED and said.psu is not None)):
            return False
        if self._signing.ask_of(connection, tenant=said.tenant, kind=kind, resource=said.resource) is None:
            return False
        return not self._signing.is_shared(connection, tenant=said.tenant, kind=kind, resource=said.resource)

    def _start(
        self, connection: Connection, kind: ResourceKind, said: Opening, approach: ScaApproach, *, is_shared: bool
    ) -> Authorisation:
        how = Start(
            approach=approach,
            # Whom a redirect meets is seen when it signs in at the bank.
            psu=None if approach in REDIRECTS else said.psu,
            return_url=said.return_url,
            nok_return_url=said.nok_return_url,
            is_shared=is_shared,
        )
        now = self._clock.now(said.tenant, connection)
        started = self._authorisations.start(
            connection, tenant=said.tenant, kind=kind, resource=said.resource, now=now, how=how
        )
        if approach is not ScaApproach.DECOUPLED or started.psu is None:
            return started
        return self._announcer.announce(connection, started, self._signing.ask(connection, started))
