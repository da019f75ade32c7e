"""The embedded approach: the TPP carries the PSU's password and code, step by step (BG IG 1.3.8 §5.1.8-10, §7.2, §7.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.authorisations.asks import PaymentAsk, chosen_accounts
from bank_backend.authorisations.errors import NoMethod, NotHolder, TooManyPasswords
from bank_backend.authorisations.model import ResourceKind, ScaStatus
from bank_backend.errors import BankError, FieldsInvalid, FormatError, PsuCredentialsInvalid, PsuLocked, ScaMethodUnknown
from bank_backend.personalities.model import ScaApproach
from bank_backend.sca.model import MethodType, Recipient

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.accounts.model import Account
    from bank_backend.authorisations.asks import Ask
    from bank_backend.authorisations.model import Authorisation
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.authorisations.signing import HolderStore, PersonalityOf, Signing
    from bank_backend.authorisations.standing import Standing, Target
    from bank_backend.database import Connection, Database
    from bank_backend.psus.model import Psu
    from bank_backend.sca.judging import Verdict
    from bank_backend.sca.model import Challenge, ScaMethod
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import PsuId, TenantId

# More than lock one PSU; few enough that passwords are not tried out through one authorisation.
MOST_PASSWORDS: Final = 8
_S = ScaStatus


class Passwords(Protocol):
    """The part of the PSU directory that checks passwords, in transactions of its own."""

    def verify_password(self, tenant: TenantId, login: str, password: str) -> Psu:
        """Return the PSU whose password this is; raises `PsuCredentialsInvalid` or `PsuLocked`."""


class Sca(Protocol):
    """The part of strong customer authentication that a TPP can carry."""

    def offered(self, connection: Connection, tenant: TenantId, psu: PsuId) -> tuple[ScaMethod, ...]:
        """Return the PSU's methods, in its order."""

    def start(self, connection: Connection, recipient: Recipient, *, method: str, statement: str, now: datetime) -> Challenge:
        """Start a challenge; raises `ScaMethodUnknown`, `TooManyCodes`, `PsuLocked`."""

    def judge(self, connection: Connection, recipient: Recipient, *, code: str, statement: str, now: datetime) -> Verdict:
        """Judge a code and count the attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """How far an authorisation has come: the methods to choose from, or the challenge to answer."""

    authorisation: Authorisation
    methods: Sequence[ScaMethod] = ()
    chosen: ScaMethod | None = None
    challenge: Challenge | None = None


class Embedded:
    """Takes one step at a time; each is checked against the authorisation's state under its lock."""

    def __init__(
        self,
        *,
        database: Database,
        authorisations: Authorisations,
        standing: Standing,
        signing: Signing,
        holders: HolderStore,
        passwords: Passwords,
        sca: Sca,
        personalities: PersonalityOf,
        clock: TenantClock,
    ) -> None:
        """Take steps in transactions of `database`."""
        self._database = database
        self._authorisations = authorisations
        self._standing = standing
        self._signing = signing
        self._holders = holders
        self._passwords = passwords
        self._sca = sca
        self._personalities = personalities
        self._clock = clock

    def authenticate(self, target: Target, psu: PsuId | None, password: str) -> Stepped:
        """Take the PSU's password, and its PSU-ID where that has not come yet.

        Raises `PsuCredentialsInvalid`, `PsuLocked`, `TooManyPasswords`, `NotHolder`, `NoMethod`, `StatusInvalid`.
        """
        waiting = {_S.RECEIVED, _S.PSU_IDENTIFIED}
        login = psu or self._standing.seen(target, waiting, path="psuData").psu
        if login is None:
            raise FormatError("PSU-ID is missing: send it with the password", path="PSU-ID")
        try:
            known = self._passwords.verify_password(target.tenant, login, password)
        except PsuCredentialsInvalid as refusal:
            raise self._counted(target, refusal) from None
        with self._database.writing() as connection:
            authorisation = self._standing.locked(connection, target, waiting, path="psuData")
            outcome = self._authenticated(connection, authorisation, known.id)
        return _stepped(outcome)

    def standing(self, target: Target) -> Stepped:
        """Return how far it has come: with the methods, where the PSU is to choose one."""
        with self._database.reading() as connection:
            known = self._standing.found(target, connection)
            waits_for_choice = known.status is _S.PSU_AUTHENTICATED
            methods = self._methods(connection, known.tenant, _psu_of(known)) if waits_for_choice else ()
        return Stepped(authorisation=known, methods=methods)

    def select(self, target: Target, method: str) -> Stepped:
        """Take the PSU's choice of a method, and start it; raises `ScaMethodUnknown`, `TooManyCodes`, `StatusInvalid`."""
        waiting = {_S.PSU_AUTHENTICATED, _S.SCA_METHOD_SELECTED}
        with self._database.writing() as connection:
            known = self._standing.locked(connection, target, waiting, path="authenticationMethodId")
            psu = _psu_of(known)
            chosen = next((each for each in self._methods(connection, known.tenant, psu) if each.id == method), None)
            if chosen is None:
                text = f"{method[:40]!r} is none of the PSU's methods: choose one of scaMethods"
                raise ScaMethodUnknown(text, path="authenticationMethodId")
            ask = self._signing.ask(connection, known)
            return self._challenged(connection, known, ask, self._accounts(connection, ask, known.tenant, psu), chosen)

    def answer(self, target: Target, code: str) -> Stepped:
        """Take the code: the right one signs. Raises `CodeWrong`, `CodeExpired`, `PsuLocked`, `CodeAttemptsExhausted`."""
        with self._database.writing() as connection:
            known = self._standing.locked(connection, target, {_S.SCA_METHOD_SELECTED}, path="scaAuthenticationData")
            psu, now = _psu_of(known), self._clock.now(known.tenant, connection)
            ask = self._signing.ask(connection, known)
            accounts = self._accounts(connection, ask, known.tenant, psu)
            statement = ask.statement(self._holders.tpp(connection, known.tenant).name, accounts)
            verdict = self._sca.judge(connection, _recipient(known, psu), code=code, statement=statement, now=now)
            if verdict.refusal is None:
                known = self._signing.sign(connection, known.id, psu=psu, accounts=accounts, at=now)
            elif verdict.is_final:
                known = self._signing.fail(connection, known)
        # Raised only now: the attempt is counted, whatever comes next.
        if verdict.refusal is not None:
            verdict.refusal.path = "scaAuthenticationData"
            raise verdict.refusal
        return Stepped(authorisation=known)

    def _authenticated(self, connection: Connection, authorisation: Authorisation, psu: PsuId) -> Stepped | BankError:
        """Return how it goes on, or why it ended: that end is committed before it is told."""
        self._signing.require_new_signatory(connection, authorisation, psu)
        self._authorisations.move(connection, authorisation.id, _S.PSU_AUTHENTICATED, psu=psu)
        known = replace(authorisation.moved(_S.PSU_AUTHENTICATED), psu=psu)
        ask = self._signing.ask(connection, known)
        try:
            accounts = self._accounts(connection, ask, known.tenant, psu)
        except NotHolder as refusal:
            self._signing.fail(connection, known)
            return refusal
        if self._is_exempt(connection, known, ask):
            now = self._clock.now(known.tenant, connection)
            return Stepped(authorisation=self._signing.exempt(connection, known, psu=psu, accounts=accounts, at=now))
        methods = self._methods(connection, known.tenant, psu)
        if not methods:
            self._signing.fail(connection, known)
            return NoMethod("this PSU has no method that a TPP could carry: send it to the bank instead")
        if len(methods) > 1:
            return Stepped(authorisation=known, methods=methods)
        return self._challenged(connection, known, ask, accounts, methods[0])

    def _challenged(
        self, connection: Connection, known: Authorisation, ask: Ask, accounts: tuple[Account, ...], chosen: ScaMethod
    ) -> Stepped:
        """Start the method; one that works in the bank app turns the approach into the decoupled one (BG IG §5.1.11)."""
        statement = ask.statement(self._holders.tpp(connection, known.tenant).name, accounts)
        now = self._clock.now(known.tenant, connection)
        recipient = _recipient(known, _psu_of(known))
        challenge = self._sca.start(connection, recipient, method=chosen.id, statement=statement, now=now)
        selected = replace(known.moved(_S.SCA_METHOD_SELECTED), method=chosen.id)
        if chosen.type is MethodType.PUSH:
            selected = replace(selected.moved(_S.STARTED), approach=ScaApproach.DECOUPLED)
        self._authorisations.save(connection, selected)
        return Stepped(authorisation=selected, chosen=chosen, challenge=challenge)

    def _counted(self, target: Target, refusal: PsuCredentialsInvalid) -> BankError:
        """Count a wrong password; the one too many ends the authorisation."""
        refusal.path = "psuData.password"
        if isinstance(refusal, PsuLocked):
            return refusal
        with self._database.writing() as connection:
            known = self._standing.locked(connection, target, {_S.RECEIVED, _S.PSU_IDENTIFIED}, path="psuData")
            counted = self._authorisations.save(connection, replace(known, failures=known.failures + 1))
            if counted.failures < MOST_PASSWORDS:
                return refusal
            self._signing.fail(connection, counted)
        return TooManyPasswords(f"{MOST_PASSWORDS} wrong passwords: this authorisation has failed, and nothing was approved")

    def _accounts(self, connection: Connection, ask: Ask, tenant: TenantId, psu: PsuId) -> tuple[Account, ...]:
        try:
            return chosen_accounts(ask, self._holders.held_by(connection, tenant, psu), None)
        except FieldsInvalid as refusal:
            raise NotHolder(next(iter(refusal.fields.values())), path="PSU-ID") from None

    def _methods(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[ScaMethod]:
        """Return what the PSU can choose from: a passkey works on the bank's own pages only."""
        return [each for each in self._sca.offered(connection, tenant, psu) if each.type.authentication_type is not None]

    def _is_exempt(self, connection: Connection, known: Authorisation, ask: Ask) -> bool:
        limit = self._personalities.of(known.tenant, connection).exemption_limit
        if limit is None or known.kind is not ResourceKind.PIS or not isinstance(ask, PaymentAsk):
            return False
        return ask.amount.currency == limit.currency and ask.amount.minor <= limit.minor


def _stepped(outcome: Stepped | BankError) -> Stepped:
    if isinstance(outcome, BankError):
        raise outcome
    return outcome


def _psu_of(authorisation: Authorisation) -> PsuId:
    if authorisation.psu is None:
        msg = f"authorisation {authorisation.id} is {authorisation.status} without a PSU"
        raise ValueError(msg)
    return authorisation.psu


def _recipient(authorisation: Authorisation, psu: PsuId) -> Recipient:
    return Recipient(authorisation=authorisation.id, tenant=authorisation.tenant, psu=psu)
