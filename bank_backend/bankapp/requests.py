"""What waits in the bank app, and the PSU's answer: decoupled authorisations, pushes of visits, second signatures.

An approval is bound to what the page has shown (RTS 2018/389 Art. 5), and is given once.
"""

from __future__ import annotations

from contextlib import suppress
from hmac import compare_digest
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.authorisations.asks import AccountChoice, chosen_accounts, eligible_accounts
from bank_backend.authorisations.signing import Pending
from bank_backend.bankapp.errors import RequestChanged
from bank_backend.bankapp.model import AppRequest
from bank_backend.errors import FieldsInvalid, ResourceUnknown, ScaMethodUnknown, StatusInvalid
from bank_backend.readable import readable_list
from bank_backend.sca.errors import PushUnknown
from bank_backend.sca.model import MethodType, Recipient

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.accounts.model import Account
    from bank_backend.authorisations.model import Authorisation
    from bank_backend.authorisations.signing import Signing
    from bank_backend.database import Connection, Database
    from bank_backend.interactions.decisions import Decisions
    from bank_backend.interactions.model import Interaction
    from bank_backend.interactions.signatories import Signatories
    from bank_backend.psus.model import Psu
    from bank_backend.sca.model import Challenge
    from bank_backend.sca.service import ScaMethods
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import PsuId, TenantId

# The page asks for them every two seconds.
MOST_SHOWN: Final = 50


class Holdings(Protocol):
    """Which accounts a PSU holds."""

    def accounts_of(self, tenant: TenantId, psu: PsuId) -> Sequence[Account]:
        """Return the accounts this PSU holds, in a stable order."""


class OpenVisits(Protocol):
    """Where browsers' visits are kept."""

    def open_of(self, connection: Connection, authorisation: str, *, locked: bool) -> Interaction | None:
        """Return the visit that works on an authorisation and has not ended, or None; `locked` until the transaction ends."""


class Standing(Protocol):
    """Where authorisations are."""

    def found(self, connection: Connection, authorisation_id: str) -> Authorisation | None:
        """Return one authorisation, or None; it is not locked."""


class AppRequests:
    """What waits for a PSU that has signed in to the bank app."""

    def __init__(
        self,
        *,
        database: Database,
        authorisations: Standing,
        signing: Signing,
        decisions: Decisions,
        visits: OpenVisits,
        holdings: Holdings,
        signatories: Signatories,
        sca: ScaMethods,
        clock: TenantClock,
    ) -> None:
        """Decide by `signing`, and by `decisions` where a browser waits for the answer."""
        self._database = database
        self._authorisations = authorisations
        self._signing = signing
        self._decisions = decisions
        self._visits = visits
        self._holdings = holdings
        self._signatories = signatories
        self._sca = sca
        self._clock = clock

    def waiting(self, psu: Psu) -> list[AppRequest]:
        """Return what waits for the PSU, oldest first; what is more than a page holds waits for those to be answered."""
        held = self._holdings.accounts_of(psu.tenant, psu.id)
        with self._database.reading() as connection:
            return self._waiting(connection, psu, held, most=MOST_SHOWN)[:MOST_SHOWN]

    def approve(
        self, psu: Psu, authorisation: str, *, seal: str, accounts: Sequence[str] | None, headless: bool = False
    ) -> str:
        """Approve what was shown under `seal`; returns what the PSU is told.

        `accounts` are ids or IBANs where there is a choice, None for all. Raises `PushUnknown`, `RequestChanged`,
        `FieldsInvalid`, `PsuLocked`, `ScaMethodUnknown`, `StatusInvalid`.
        """
        held = self._holdings.accounts_of(psu.tenant, psu.id)
        now = self._clock.now(psu.tenant)
        with self._database.writing() as connection:
            self._lock(connection, authorisation)
            request = self._require(connection, psu, authorisation, held)
            if not compare_digest(request.seal.encode(), seal.encode()):
                raise RequestChanged
            chosen = _chosen(request, accounts)
            statement = request.ask.statement(request.tpp.name, chosen)
            push = self._push_for(connection, psu, request, statement, now)
            verdict = self._sca.approve_push(connection, push.id, tenant=psu.tenant, psu=psu.id, statement=statement, now=now)
            if verdict.refusal is None:
                told = self._sign(connection, request, psu, chosen, now, headless=headless)
        # Raised only now: that the push failed stays on record.
        if verdict.refusal is not None:
            raise verdict.refusal
        return told

    def reject(self, psu: Psu, authorisation: str, *, headless: bool = False) -> str:
        """Turn the request down; returns what the PSU is told. Raises `PushUnknown`, `StatusInvalid`."""
        held = self._holdings.accounts_of(psu.tenant, psu.id)
        now = self._clock.now(psu.tenant)
        with self._database.writing() as connection:
            self._lock(connection, authorisation)
            request = self._require(connection, psu, authorisation, held)
            if request.push is not None:
                self._sca.reject_push(connection, request.push.id, tenant=psu.tenant, psu=psu.id)
            visit = self._visit_of(connection, psu.tenant, authorisation)
            if visit is None:
                self._signing.refuse(connection, authorisation, psu=psu.id, at=now, headless=headless)
            else:
                self._decisions.reject(connection, visit, psu=psu.id, at=now, headless=headless)
        return request.wording.refused

    def _waiting(
        self, connection: Connection, psu: Psu, held: Sequence[Account], *, most: int | None = None
    ) -> list[AppRequest]:
        now = self._clock.now(psu.tenant, connection)
        pushes = {each.authorisation: each for each in self._sca.waiting(connection, psu.tenant, psu.id, now)}
        found = {each.authorisation.id: each for each in self._signing.waiting_for(connection, psu.tenant, psu.id, most=most)}
        for authorisation in [each for each in pushes if each not in found][:most]:
            pending = self._pending(connection, authorisation, now)
            if pending is not None:
                found[authorisation] = pending
        requests = [self._request(connection, each, pushes.get(name), held) for name, each in found.items()]
        return sorted((each for each in requests if each is not None), key=lambda each: (each.expires_at, each.authorisation))

    def _pending(self, connection: Connection, authorisation: str, now: datetime) -> Pending | None:
        """Return what waits under an authorisation, unlocked; None where it is decided or withdrawn."""
        found = self._authorisations.found(connection, authorisation)
        if found is None or not found.settled(now).is_open:
            return None
        try:
            ask = self._signing.ask(connection, found)
        except (StatusInvalid, ResourceUnknown):
            return None
        return Pending(authorisation=found, ask=ask, tpp=self._signing.tpp(connection, found.tenant))

    def _lock(self, connection: Connection, authorisation: str) -> None:
        """Take the locks in the order in which every decision takes them: visit, resource, authorisation."""
        self._visits.open_of(connection, authorisation, locked=True)
        with suppress(StatusInvalid, ResourceUnknown):
            self._signing.pending(connection, authorisation)

    def _request(
        self, connection: Connection, pending: Pending, push: Challenge | None, held: Sequence[Account]
    ) -> AppRequest | None:
        visit = self._visit_of(connection, pending.authorisation.tenant, pending.authorisation.id)
        if visit is not None and push is None:
            # The browser is asked in another way, or not at all yet.
            return None
        eligible = eligible_accounts(pending.ask, held)
        is_offered = pending.ask.choice is AccountChoice.OFFERED
        accounts = eligible.accounts
        if visit is not None and is_offered:
            accounts = tuple(each for each in accounts if each.id in (visit.accounts or ()))
        return AppRequest(
            authorisation=pending.authorisation.id,
            ask=pending.ask,
            tpp=pending.tpp,
            accounts=accounts,
            chooses=is_offered and visit is None,
            is_possible=bool(accounts) and not eligible.foreign,
            push=push,
            expires_at=_earlier(pending.authorisation.expires_at, push),
            binding_message=pending.authorisation.binding_message,
        )

    def _require(self, connection: Connection, psu: Psu, authorisation: str, held: Sequence[Account]) -> AppRequest:
        for each in self._waiting(connection, psu, held):
            if each.authorisation == authorisation:
                return each
        raise PushUnknown("this does not wait for you any more: it has been answered, was withdrawn or has expired")

    def _push_for(self, connection: Connection, psu: Psu, request: AppRequest, statement: str, now: datetime) -> Challenge:
        """Return the push that stands, or a new one where none does, or the PSU has only now said for which accounts."""
        if request.push is not None and not request.chooses:
            return request.push
        offered = self._sca.offered(connection, psu.tenant, psu.id)
        method = next((each.id for each in offered if each.type is MethodType.PUSH), None)
        if method is None:
            raise ScaMethodUnknown("the bank app is none of your methods, or this bank does not take it")
        recipient = Recipient(authorisation=request.authorisation, tenant=psu.tenant, psu=psu.id)
        return self._sca.start(connection, recipient, method=method, statement=statement, now=now)

    def _sign(
        self,
        connection: Connection,
        request: AppRequest,
        psu: Psu,
        accounts: tuple[Account, ...],
        now: datetime,
        *,
        headless: bool,
    ) -> str:
        signed = self._signing.pending(connection, request.authorisation).authorisation
        visit = self._visit_of(connection, signed.tenant, signed.id)
        if visit is None:
            self._signing.sign(connection, signed.id, psu=psu.id, accounts=accounts, at=now, headless=headless)
        else:
            self._decisions.approve(connection, visit, psu=psu.id, accounts=accounts, at=now, headless=headless)
        missing = self._signatories.missing(
            connection, tenant=signed.tenant, kind=signed.kind, resource=signed.resource, but=psu.id, now=now
        )
        if missing:
            return f"You have signed. It happens once {readable_list(missing)} signs in the bank app as well."
        return request.ask.wording(request.tpp.name, accounts).confirmed

    def _visit_of(self, connection: Connection, tenant: TenantId, authorisation: str) -> Interaction | None:
        """Return the browser's visit that waits for this authorisation, or None."""
        found = self._visits.open_of(connection, authorisation, locked=False)
        return found if found is not None and found.settled(self._clock.now(tenant, connection)).is_pending else None


def _earlier(until: datetime, push: Challenge | None) -> datetime:
    """Return when there is nothing left to confirm: a client's request may end before what was pushed to the telephone."""
    return until if push is None else min(until, push.expires_at)


def _chosen(request: AppRequest, wanted: Sequence[str] | None) -> tuple[Account, ...]:
    if not request.is_possible:
        raise FieldsInvalid({"accounts": "it needs an account that you do not hold"})
    return chosen_accounts(request.ask, request.accounts, wanted) if request.chooses else request.accounts
