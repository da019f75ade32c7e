"""Who is asking: a browser, what is remembered of it, and the bank as it is reached for it during this request."""

from __future__ import annotations

import hmac
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, cast

from flask import g, request, session

from tpp_client.authorization import claimed_state
from tpp_client.errors import Refused, TransportFailed
from tpp_client.web.bank import Bank, bank_for
from tpp_client.web.reading import Reader
from tpp_client.web.visits.model import Attempt, Connection, Purpose, Visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tpp_client.tokens import Tokens
    from tpp_client.web.bootstrap import Services
    from tpp_client.web.browser import BrowserSession
    from tpp_client.web.visits.model import WireCall


class AnswerNotTaken(Exception):
    """An answer of the bank that this browser waits for no (more); `kind` chooses the words."""

    def __init__(self, kind: str) -> None:
        """Say whether it is `unasked`, `replayed` or `late`."""
        super().__init__(kind)
        self.kind = kind


class Visitor:
    """One browser during one request."""

    def __init__(self, services: Services, browser: BrowserSession, *, address: str) -> None:
        """Read nothing yet; `address` is where the browser sits, as the edge tells."""
        self._services = services
        self._browser = browser
        self._address = address

    @cached_property
    def bank(self) -> Bank:
        """The bank, as reached for this browser; raises `IdentityUnusable`."""
        return bank_for(self._services.desk, redirect_uri=self._services.settings.redirect_uri, psu_ip_address=self._address)

    @property
    def calls(self) -> tuple[WireCall, ...]:
        """The calls made so far during this request."""
        return tuple(self.bank.calls) if "bank" in self.__dict__ else ()

    @property
    def visit(self) -> Visit:
        """What is remembered, an empty visit where nothing is."""
        return self._services.visits.find(self._browser.secret) or Visit()

    def change(self, change: Callable[[Visit], Visit]) -> Visit:
        """Change what is remembered."""
        return self._services.visits.change(self._browser.secret, change)

    def reader(self) -> Reader:
        """Return what reads this browser's accounts; raises `NotConnected`."""
        services = self._services
        return Reader(bank=self.bank, visits=services.visits, secret=self._browser.secret, clock=services.clock)

    def begin(self, purpose: Purpose, resource: str) -> str:
        """Begin an attempt, the only one that counts from now on; return where the browser goes."""
        attempt, url = self.bank.begin(purpose, resource, now=self._now())
        self.change(lambda visit: visit.began(attempt))
        return url

    def take_answer(self, redirect: str) -> Attempt:
        """Take the bank's answer to this browser's own attempt, once; return the attempt.

        Raises `AnswerNotTaken`, and `TppClientError` where the bank said no or its answer is not what it should be.
        """
        attempt = self._spend_attempt(claimed_state(redirect))
        tokens = self.bank.finish(attempt, redirect)
        if attempt.purpose is Purpose.ACCOUNTS:
            self._connect(attempt, tokens)
        else:
            # All that the payment needed was the PSU's word; a token that nobody holds is nobody's to steal.
            self._let_go(tokens.access_token)
        self._services.visits.move(self._browser.secret, to=self._browser.renew())
        return attempt

    def disconnect(self) -> None:
        """End the connection at the bank, then here; raises `TppClientError`, and then it stands."""
        connection = self.visit.connection
        if connection is not None:
            self._end_at_bank(connection)
            self.change(lambda visit: visit.disconnected(None))

    def _spend_attempt(self, state: str) -> Attempt:
        found: list[Attempt] = []

        def spend(visit: Visit) -> Visit:
            attempt = visit.attempt
            if attempt is None or not hmac.compare_digest(attempt.state.encode(), state.encode()):
                raise AnswerNotTaken("replayed" if visit.has_spent(state) else "unasked")
            found.append(attempt)
            return visit.spent_attempt()

        if self._services.visits.find(self._browser.secret) is None:
            raise AnswerNotTaken("unasked")  # and nothing begins to be remembered of whoever is sent here
        self.change(spend)
        if found[0].is_over(self._now()):
            raise AnswerNotTaken("late")
        return found[0]

    def _connect(self, attempt: Attempt, tokens: Tokens) -> None:
        earlier = self.visit.connection
        now = self._now()
        connection = Connection(
            consent_id=attempt.resource,
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            expires_at=now + tokens.expires_in,
            since=now,
        )
        self.change(lambda visit: visit.connected(connection))
        if earlier is not None and earlier.consent_id != connection.consent_id:
            with suppress(Refused, TransportFailed):  # the bank may have ended it itself, in favour of the new one
                self._end_at_bank(earlier)

    def _end_at_bank(self, connection: Connection) -> None:
        """End the consent, which alone decides, and take the tokens back."""
        self.bank.end_consent(connection.consent_id)
        for token in (connection.access_token, connection.refresh_token):
            if token is not None:
                self._let_go(token)

    def _let_go(self, token: str) -> None:
        with suppress(Refused, TransportFailed):  # it runs out by itself, and is bound to our certificate
            self.bank.revoke(token)

    def _now(self) -> float:
        return self._services.clock.now().timestamp()


def visitor() -> Visitor:
    """Return the visitor of this request."""
    return cast("Visitor", g.visitor)


def note_visitor(services: Services) -> None:
    """Find out who is asking, before a page is made."""
    g.visitor = Visitor(services, cast("BrowserSession", session), address=address_of_browser())


def address_of_browser() -> str:
    """Return where the browser sits: the edge says so, and nobody else can (docs/architecture.md §3.1)."""
    return request.headers.get("X-Sandbox-Address", "127.0.0.1")
