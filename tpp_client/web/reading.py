"""Reading accounts under a connection: tokens refreshed when they must be, the end of a connection told from a hiccup."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from tpp_client.accounts import (
    accounts_request,
    balances_request,
    process_accounts_response,
    process_balances_response,
    transaction_pages,
)
from tpp_client.consents import PARTIALLY_AUTHORISED
from tpp_client.errors import Refused
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from psd2.clock import Clock
    from psd2.ids import AccountId
    from tpp_client.accounts import Account, Balance, Transaction
    from tpp_client.errors import Refusal
    from tpp_client.tokens import Tokens
    from tpp_client.web.bank import Bank
    from tpp_client.web.visits.model import Connection, Visit
    from tpp_client.web.visits.store import VisitStore

_Read = TypeVar("_Read")
_CONSENT_ENDED = frozenset({"CONSENT_UNKNOWN", "CONSENT_INVALID", "CONSENT_EXPIRED"})
_TOKEN_SPENT = frozenset({"TOKEN_UNKNOWN", "TOKEN_INVALID", "TOKEN_EXPIRED", "invalid_token"})
# More than the largest month of the sandbox's busiest account has, at a hundred a page.
_MOST_PAGES = 20
# Two pages of one browser must not both refresh: a bank may answer each refresh with another refresh token.
_REFRESHING = tuple(threading.Lock() for _ in range(64))


class NotConnected(Exception):
    """This browser has no connection to the bank; `why` tells how the last one ended, where there was one."""

    def __init__(self, why: str | None) -> None:
        """Keep the reason."""
        super().__init__(why or "no bank is connected")
        self.why = why


class AwaitsSignature(Exception):
    """The PSU has signed the consent, and another holder of its accounts has not yet: it opens nothing so far (BG IG §5.8)."""


@dataclass(frozen=True, slots=True)
class Overview:
    """An account with its balances, the one that counts first."""

    account: Account
    balances: tuple[Balance, ...]

    @property
    def current(self) -> Balance | None:
        """What is there now: booked, where the bank tells it."""
        booked = next((one for one in self.balances if one.kind == "interimBooked"), None)
        return booked or (self.balances[0] if self.balances else None)

    @property
    def available(self) -> Balance | None:
        """What may be spent now, without a credit line."""
        return next((one for one in self.balances if one.kind == "interimAvailable"), None)


@dataclass(frozen=True, slots=True)
class Movements:
    """An account's movements in a period; `is_cut` where there were more pages than are read."""

    booked: tuple[Transaction, ...]
    pending: tuple[Transaction, ...]
    is_cut: bool


class Reader:
    """Reads for one browser during one request."""

    def __init__(self, *, bank: Bank, visits: VisitStore, secret: str, clock: Clock) -> None:
        """Read under the connection that this browser's visit holds; raises `NotConnected`."""
        self._bank = bank
        self._visits = visits
        self._secret = secret
        self._clock = clock
        self._connection = _require_connection(visits.find(secret))

    def accounts(self) -> tuple[Account, ...]:
        """Return the accounts of the consent."""
        return self._read(lambda access: process_accounts_response(accounts_request(self._bank.xs2a, access)))

    def overview(self, account: Account) -> Overview:
        """Return an account with its balances."""

        def ask(access: Access) -> tuple[Balance, ...]:
            return process_balances_response(balances_request(self._bank.xs2a, access, account.account_id))

        return Overview(account, self._read(ask))

    def movements(self, account_id: AccountId, *, since: date, until: date) -> Movements:
        """Return an account's movements in a period, all pages that the bank's links lead to."""
        return self._read(lambda access: self._pages(access, account_id, since=since, until=until))

    def _pages(self, access: Access, account_id: AccountId, *, since: date, until: date) -> Movements:
        booked: list[Transaction] = []
        pending: tuple[Transaction, ...] = ()
        for number, page in enumerate(transaction_pages(self._bank.xs2a, access, account_id, since=since, until=until), 1):
            booked += page.booked
            pending = pending or page.pending
            if number == _MOST_PAGES:
                return Movements(tuple(booked), pending, page.next_link is not None)
        return Movements(tuple(booked), pending, is_cut=False)

    def _read(self, ask: Callable[[Access], _Read]) -> _Read:
        if self._connection.needs_refresh(self._clock.now().timestamp()):
            self._refresh()
        try:
            return self._asked(ask)
        except Refused as refused:
            if refused.refusal.code not in _TOKEN_SPENT:
                raise
            self._refresh()
        try:
            return self._asked(ask)
        except Refused as refused:
            # A fresh token that is refused too: nothing is left to try without the PSU.
            if refused.refusal.code in _TOKEN_SPENT:
                raise self._ended(str(refused)) from refused
            raise

    def _asked(self, ask: Callable[[Access], _Read]) -> _Read:
        before = len(self._bank.calls)
        try:
            return ask(Access(token=self._connection.access_token, consent_id=self._connection.consent_id))
        except Refused as refused:
            if refused.refusal.code in _CONSENT_ENDED:
                raise self._shut(refused.refusal) from refused
            raise
        finally:
            self._count(len(self._bank.calls) - before)

    def _shut(self, refusal: Refusal) -> NotConnected | AwaitsSignature:
        """Return why the consent opens nothing: it has ended, or it waits for another signature, and the connection stays."""
        return AwaitsSignature() if self._awaits_signature(refusal) else self._ended(refusal.text)

    def _awaits_signature(self, refusal: Refusal) -> bool:
        if refusal.code != "CONSENT_INVALID":
            return False
        try:
            return self._bank.consent(self._connection.consent_id).status == PARTIALLY_AUTHORISED
        except Refused:
            return False

    def _count(self, readings: int) -> None:
        day = self._clock.now().date().isoformat()
        self._keep(lambda connection: connection.counted(day, readings))

    def _refresh(self) -> None:
        """Take a fresh token, or the one that another page of this browser has taken meanwhile."""
        with _REFRESHING[hash(self._secret) % len(_REFRESHING)]:
            standing = _require_connection(self._visits.find(self._secret))
            if standing.access_token != self._connection.access_token:
                self._connection = standing
                return
            if standing.refresh_token is None:
                raise self._ended("the bank's permission has run out, and it gave nothing to renew it with")
            tokens = self._fresh_tokens(standing.refresh_token)
            self._keep(lambda connection: renewed(connection, tokens, now=self._clock.now().timestamp()))

    def _fresh_tokens(self, refresh_token: str) -> Tokens:
        try:
            return self._bank.refresh(refresh_token)
        except Refused as refused:
            # RFC 6749 §5.2: 400 invalid_grant says that this token is no more; anything else may pass.
            if refused.refusal.status == HTTPStatus.BAD_REQUEST and refused.refusal.code == "invalid_grant":
                raise self._ended(refused.refusal.text) from refused
            raise

    def _keep(self, change: Callable[[Connection], Connection]) -> None:
        def changed(visit: Visit) -> Visit:
            same = visit.connection is not None and visit.connection.consent_id == self._connection.consent_id
            return replace(visit, connection=change(visit.connection)) if same and visit.connection else visit

        self._connection = self._visits.change(self._secret, changed).connection or self._connection

    def _ended(self, why: str) -> NotConnected:
        def forget(visit: Visit) -> Visit:
            same = visit.connection is not None and visit.connection.consent_id == self._connection.consent_id
            return visit.disconnected(why) if same else visit

        self._visits.change(self._secret, forget)
        return NotConnected(why)


def renewed(connection: Connection, tokens: Tokens, *, now: float) -> Connection:
    """Return a connection with fresh tokens; where no new refresh token came, the old one stays (RFC 6749 §6)."""
    return replace(
        connection,
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token or connection.refresh_token,
        expires_at=now + tokens.expires_in,
    )


def _require_connection(visit: Visit | None) -> Connection:
    if visit is None or visit.connection is None:
        raise NotConnected(visit.ended if visit else None)
    return visit.connection
