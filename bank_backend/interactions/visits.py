"""A PSU's visit with a browser: sign in, choose accounts, review, confirm with a one-time code, or refuse at any step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from bank_backend.authorisations.asks import AccountChoice, chosen_accounts, eligible_accounts
from bank_backend.authorisations.model import ScaStatus
from bank_backend.errors import PsuCredentialsInvalid
from bank_backend.interactions.decisions import require_interaction
from bank_backend.interactions.desk import Desk, accounts_chosen, require_choice, require_first
from bank_backend.interactions.errors import InteractionOver, OtherBrowser, OutOfStep, TooManyLogins
from bank_backend.interactions.model import MOST_LOGIN_FAILURES, Interaction, InteractionStatus, Step
from bank_backend.interactions.sessions import digest_of, require_session
from bank_backend.interactions.signatories import Signatories
from bank_backend.sca.model import Challenge, MethodType, Recipient, ScaMethod

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bank_backend.authorisations.asks import Ask
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.database import Connection, Database
    from bank_backend.errors import BankError
    from bank_backend.interactions.decisions import Decisions, InteractionStore
    from bank_backend.interactions.service import Customers, Holdings
    from bank_backend.sca.judging import Verdict
    from bank_backend.tenants.clock import TenantClock
    from bank_backend.tenants.model import Tenant
    from psd2.ids import PsuId, TenantId


class Sca(Protocol):
    """The part of strong customer authentication that a visit needs."""

    def offered(self, connection: Connection, tenant: TenantId, psu: PsuId) -> tuple[ScaMethod, ...]:
        """Return the PSU's methods, in its order."""

    def start(self, connection: Connection, recipient: Recipient, *, method: str, statement: str, now: datetime) -> Challenge:
        """Start a challenge; raises `ScaMethodUnknown`, `TooManyCodes`, `PsuLocked`."""

    def last(self, connection: Connection, authorisation: str) -> Challenge | None:
        """Return the newest challenge of an authorisation, or None."""

    def judge(self, connection: Connection, recipient: Recipient, *, code: str, statement: str, now: datetime) -> Verdict:
        """Judge a code and count the attempt."""

    def judge_passkey(
        self, connection: Connection, recipient: Recipient, *, answer: Mapping[str, Any], statement: str, now: datetime
    ) -> Verdict:
        """Judge what a passkey has signed and count the attempt."""

    def passkey_request(self, connection: Connection, challenge: Challenge) -> dict[str, Any]:
        """Return what the browser is to ask the passkey for."""


class Tpps(Protocol):
    """Who the TPPs are: each has a tenant of its own."""

    def tenant(self, tenant: TenantId) -> Tenant:
        """Return the TPP's tenant."""


class Visits:
    """Pages call this; every step is checked against the browser's session and the visit's own step."""

    def __init__(
        self,
        *,
        database: Database,
        store: InteractionStore,
        decisions: Decisions,
        authorisations: Authorisations,
        customers: Customers,
        holdings: Holdings,
        sca: Sca,
        tpps: Tpps,
        clock: TenantClock,
    ) -> None:
        """Work on the interactions in `store`."""
        self._database = database
        self._store = store
        self._decisions = decisions
        self._authorisations = authorisations
        self._customers = customers
        self._holdings = holdings
        self._sca = sca
        self._tpps = tpps
        self._clock = clock

    def interaction(self, interaction_id: str) -> Interaction:
        """Return the visit as it stands now; raises `InteractionUnknown`."""
        with self._database.reading() as connection:
            found = self._store.find(connection, interaction_id)
        interaction = require_interaction(found, interaction_id)
        return interaction.settled(self._clock.now(interaction.tenant))

    def tpp(self, interaction: Interaction) -> Tenant:
        """Return who asks."""
        return self._tpps.tenant(interaction.tenant)

    def ask(self, interaction: Interaction) -> Ask:
        """Return what is asked; raises `StatusInvalid` where the TPP has withdrawn it."""
        with self._database.reading() as connection:
            return self._decisions.ask(connection, interaction, self._clock.now(interaction.tenant, connection))

    def signed_in(self, interaction_id: str, secret: str) -> tuple[Interaction, PsuId]:
        """Return a visit that goes on, and the PSU that is in it; raises `OtherBrowser`, and `InteractionOver` at the end."""
        interaction = self.interaction(interaction_id)
        psu = require_session(interaction, secret)
        if not interaction.is_pending:
            # Before anything is asked of the resource, which has been decided with it: who clicks twice is to see the end.
            raise InteractionOver(f"this request is {interaction.status}: it is decided once")
        return interaction, psu

    def desk(self, interaction_id: str, secret: str) -> Desk:
        """Return what lies in front of the PSU that has logged in; raises `OtherBrowser`, and `InteractionOver` at the end."""
        interaction, psu = self.signed_in(interaction_id, secret)
        held = self._holdings.accounts_of(interaction.tenant, psu)
        ask, tpp = self.ask(interaction), self.tpp(interaction)
        with self._database.reading() as connection:
            challenge = self._sca.last(connection, interaction.authorisation)
            return Desk(
                interaction=interaction,
                tpp=tpp,
                ask=ask,
                eligible=eligible_accounts(ask, held),
                chosen=accounts_chosen(interaction, ask, held),
                methods=self._sca.offered(connection, interaction.tenant, psu),
                challenge=challenge,
                passkey=self._passkey(connection, interaction, challenge),
                at=self._clock.now(interaction.tenant, connection),
            )

    def _passkey(self, connection: Connection, interaction: Interaction, challenge: Challenge | None) -> dict[str, Any] | None:
        is_asked = challenge is not None and challenge.type is MethodType.PASSKEY and interaction.step is Step.CODE
        return self._sca.passkey_request(connection, challenge) if challenge is not None and is_asked else None

    def setback(self, interaction: Interaction) -> str:
        """Return why what was approved came to nothing; empty where it did not."""
        with self._database.reading() as connection:
            return self._decisions.setback(connection, interaction)

    def missing_signatories(self, interaction: Interaction) -> list[str]:
        """Return the names of those who still have to sign in the bank app, after this PSU (BG IG §5.8)."""
        signatories = Signatories(self._authorisations, self._customers)
        with self._database.reading() as connection:
            return signatories.missing(
                connection,
                tenant=interaction.tenant,
                kind=interaction.kind,
                resource=interaction.resource,
                but=interaction.psu,
                now=self._clock.now(interaction.tenant, connection),
            )

    def log_in(self, interaction_id: str, login: str, password: str, *, secret: str) -> None:
        """Bind the visit to the PSU and to the browser that keeps `secret`; the same PSU may do so again.

        Who clicks twice has lost the answer to the first click, and the secret with it.
        Raises `PsuCredentialsInvalid`, `PsuLocked`, `TooManyLogins`, or `OtherBrowser` where somebody else has logged in.
        """
        tenant = _require_free_for(self.interaction(interaction_id)).tenant
        try:
            psu = self._customers.verify_password(tenant, login, password)
        except PsuCredentialsInvalid as refusal:
            raise self._counted(interaction_id, refusal) from None
        now = self._clock.now(tenant)
        with self._database.writing() as connection:
            interaction = _require_free_for(self._decisions.require_pending(connection, interaction_id), psu.id)
            if interaction.session is not None:
                self._decisions.save(connection, replace(interaction, session=digest_of(secret)))
                return
            ask = self._decisions.ask(connection, interaction, now)
            first = Step.ACCOUNTS if ask.choice is AccountChoice.OFFERED else Step.REVIEW
            self._authorisations.move(connection, interaction.authorisation, ScaStatus.PSU_AUTHENTICATED, psu=psu.id)
            stepped = replace(interaction.stepped(first), psu=psu.id, session=digest_of(secret))
            self._decisions.save(connection, stepped)

    def choose(self, interaction_id: str, secret: str, wanted: Sequence[str]) -> None:
        """Take the PSU's choice of accounts; raises `FieldsInvalid` for none, or for one that is not offered."""
        desk = self.desk(interaction_id, secret)
        if desk.ask.choice is not AccountChoice.OFFERED:
            raise OutOfStep("the accounts are named by the request: there is nothing to choose")
        chosen = chosen_accounts(desk.ask, desk.eligible.accounts, wanted)
        with self._database.writing() as connection:
            interaction = self._require_mine(connection, interaction_id, secret)
            picked = replace(interaction.stepped(Step.REVIEW), accounts=tuple(account.id for account in chosen))
            self._decisions.save(connection, picked)

    def start(self, interaction_id: str, secret: str, *, method: str | None) -> None:
        """Start a challenge for exactly what lies on the desk, by the PSU's first method unless it has named another.

        Raises `FieldsInvalid`, `OutOfStep`, `ScaMethodUnknown`, `TooManyCodes`, and `PsuLocked` after wrong codes.
        """
        desk = self.desk(interaction_id, secret)
        statement = desk.ask.statement(desk.tpp.name, require_choice(desk))
        chosen = method or require_first(desk)
        now = self._clock.now(desk.interaction.tenant)
        with self._database.writing() as connection:
            interaction = self._require_mine(connection, interaction_id, secret).stepped(Step.CODE)
            self._sca.start(connection, _recipient(interaction), method=chosen, statement=statement, now=now)
            self._authorisations.move(connection, interaction.authorisation, ScaStatus.STARTED)
            self._decisions.save(connection, interaction)

    def confirm(self, interaction_id: str, secret: str, *, code: str) -> None:
        """Approve with the code.

        Raises `CodeWrong`, `CodeExpired`, `PsuLocked`, or `CodeAttemptsExhausted`, which ends the visit.
        """

        def judge(connection: Connection, recipient: Recipient, statement: str, now: datetime) -> Verdict:
            return self._sca.judge(connection, recipient, code=code, statement=statement, now=now)

        self._confirm(interaction_id, secret, judge)

    def confirm_with_passkey(self, interaction_id: str, secret: str, *, answer: Mapping[str, Any]) -> None:
        """Approve with what a passkey has signed; raises `PasskeyWrong`, and what `confirm` raises."""

        def judge(connection: Connection, recipient: Recipient, statement: str, now: datetime) -> Verdict:
            return self._sca.judge_passkey(connection, recipient, answer=answer, statement=statement, now=now)

        self._confirm(interaction_id, secret, judge)

    def _confirm(
        self, interaction_id: str, secret: str, judge: Callable[[Connection, Recipient, str, datetime], Verdict]
    ) -> None:
        desk = self.desk(interaction_id, secret)
        accounts = require_choice(desk)
        statement = desk.ask.statement(desk.tpp.name, accounts)
        now = self._clock.now(desk.interaction.tenant)
        with self._database.writing() as connection:
            interaction = self._require_mine(connection, interaction_id, secret)
            psu = require_step(interaction, Step.CODE)
            verdict = judge(connection, _recipient(interaction), statement, now)
            if verdict.refusal is None:
                self._decisions.approve(connection, interaction, psu=psu, accounts=accounts, at=now, headless=False)
            elif verdict.is_final:
                self._decisions.fail(connection, interaction, at=now)
        # Raised only now: the attempt is counted, whatever comes next.
        if verdict.refusal is not None:
            raise verdict.refusal

    def refuse(self, interaction_id: str, secret: str) -> None:
        """Turn the request down, at any step; before the login the refusing browser takes the visit over."""
        with self._database.writing() as connection:
            interaction = self._decisions.require_pending(connection, interaction_id)
            now = self._clock.now(interaction.tenant, connection)
            if interaction.session is not None:
                require_session(interaction, secret)
            refused = replace(interaction, session=digest_of(secret))
            self._decisions.reject(connection, refused, psu=interaction.psu, at=now, headless=False)

    def close(self, interaction_id: str) -> Interaction:
        """End a visit that has nothing left to decide, so that its browser can go back; raises `InteractionOver`."""
        with self._database.writing() as connection:
            interaction = self._decisions.require_pending(connection, interaction_id)
            return self._decisions.expire(connection, interaction, at=self._clock.now(interaction.tenant, connection))

    def _counted(self, interaction_id: str, refusal: PsuCredentialsInvalid) -> BankError:
        """Count a failed login; the one too many ends the visit, so that logins can't be guessed through it for ever."""
        with self._database.writing() as connection:
            interaction = self._decisions.require_pending(connection, interaction_id)
            now = self._clock.now(interaction.tenant, connection)
            counted = replace(interaction, login_failures=interaction.login_failures + 1)
            if counted.login_failures < MOST_LOGIN_FAILURES:
                self._decisions.save(connection, counted)
                return refusal
            self._decisions.fail(connection, counted, at=now)
        return TooManyLogins(f"{MOST_LOGIN_FAILURES} failed sign-ins: this request is closed, and nothing was approved")

    def _require_mine(self, connection: Connection, interaction_id: str, secret: str) -> Interaction:
        interaction = self._decisions.require_pending(connection, interaction_id)
        require_session(interaction, secret)
        # Before the PSU's counters, as everywhere: a decision in the bank app, or by the TPP, takes them in the same order.
        self._authorisations.locked(connection, interaction.authorisation)
        return interaction


def require_step(interaction: Interaction, step: Step) -> PsuId:
    """Return the PSU of a visit that is on `step`; raises `OutOfStep`."""
    if interaction.step is not step or interaction.psu is None:
        raise OutOfStep("this page is out of date: go on from the current one")
    return interaction.psu


def _require_free_for(interaction: Interaction, psu: PsuId | None = None) -> Interaction:
    """Raise `OtherBrowser` where somebody else than `psu` is in, or anybody who is about to confirm; None: not known yet."""
    if interaction.status is not InteractionStatus.PENDING or interaction.session is None:
        return interaction
    if interaction.step is Step.CODE or psu not in {None, interaction.psu}:
        raise OtherBrowser("somebody has signed in for this request already: use that browser window, or start again")
    return interaction


def _recipient(interaction: Interaction) -> Recipient:
    if interaction.psu is None:
        raise OutOfStep("sign in first")
    return Recipient(authorisation=interaction.authorisation, tenant=interaction.tenant, psu=interaction.psu)
