"""One order at a CA from account to certificate (RFC 8555 §7.3 to §7.4.2), on the `acme` library.

What is told of a failure is the CA's own word and whatever was wrong on the way; never a key.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final, Protocol

import requests
from acme import challenges, errors, messages
from acme.client import ClientNetwork, ClientV2
from josepy.errors import DeserializationError
from josepy.jwa import ES256

from gateway.acme.keys import account_jwk, new_key, request_of
from gateway.acme.model import KeyType, Obtained, OpenOrder, OrderFailed
from gateway.acme.network import CaSession

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from josepy.jwk import JWKEC

    from gateway.acme.model import AcmeAccount, AcmeCertificate
    from psd2.clock import Clock

_USER_AGENT: Final = "psd2-sandbox-gateway"
_MOST_WORDS: Final = 800
_OVER: Final = frozenset({messages.STATUS_INVALID, messages.STATUS_REVOKED, messages.STATUS_DEACTIVATED})
ORDER_SECONDS: Final = 240.0
"""What an order may take, to the end; less than the lease of whoever is at it."""


class _AccountForgotten(OrderFailed):
    """The CA does not know the account any more; whoever comes next makes it anew."""


class Keeping(Protocol):
    """Where keys, open orders and answers to challenges are kept."""

    def account_key(self, account: str, directory: str) -> tuple[str, str | None] | None:
        """Return an account's key and its address at the CA."""

    def keep_account_key(self, account: str, directory: str, key_pem: str, now: datetime) -> tuple[str, str | None]:
        """Keep a new key; returns the one that counts."""

    def note_account(self, account: str, directory: str, url: str | None) -> None:
        """Note where the CA keeps an account, None where it keeps none."""

    def open_order(self, name: str) -> OpenOrder | None:
        """Return the order that was not brought to its end."""

    def keep_order(self, name: str, order: OpenOrder | None) -> None:
        """Keep an order, or none."""

    def publish(self, answers: Mapping[str, str], *, until: datetime, now: datetime) -> None:
        """Let the edge answer these tokens."""

    def withdraw(self, tokens: Collection[str]) -> None:
        """Answer these no more."""


class AcmeOrdering:
    """Orders certificates, and asks when to renew them; blocks while it does."""

    def __init__(self, *, keeping: Keeping, clock: Clock) -> None:
        self._keeping = keeping
        self._clock = clock

    def obtain(self, account: AcmeAccount, wanted: AcmeCertificate) -> Obtained:
        """Return a new chain with its key; raises `OrderFailed`. An order that stands open is gone on with."""
        until = self._clock.now() + timedelta(seconds=ORDER_SECONDS)
        try:
            return self._obtained(account, wanted, until)
        except _AccountForgotten:
            return self._obtained(account, wanted, until)

    def _obtained(self, account: AcmeAccount, wanted: AcmeCertificate, until: datetime) -> Obtained:
        with self._connected(account, until) as client:
            order, key_pem = self._order(client, account, wanted)
            order = self._proved(client, order, until)
            order = client.finalize_order(order, _as_the_library(until))
            return Obtained(chain_pem=order.fullchain_pem, key_pem=key_pem)

    def renewal(self, account: AcmeAccount, leaf_pem: str) -> tuple[datetime | None, datetime]:
        """Return when the CA suggests to renew (RFC 9773), None where it does not say, and when to ask again."""
        until = self._clock.now() + timedelta(seconds=ORDER_SECONDS)
        with self._connected(account, until) as client:
            at, ask_at = client.renewal_time(leaf_pem.encode("ascii"))
        # The library tells its own times in the machine's zone.
        return (at.astimezone(UTC) if at is not None else None), ask_at.astimezone(UTC)

    @contextmanager
    def _connected(self, account: AcmeAccount, until: datetime) -> Iterator[ClientV2]:
        """Lend a client that acts for the account; raises `OrderFailed` for whatever goes wrong with it."""
        deadline = time.monotonic() + (until - self._clock.now()).total_seconds()
        session = CaSession(account.directory, ca_bundle=account.ca_bundle, deadline=deadline)
        try:
            key_pem, url = self._account_key(account)
            network = ClientNetwork(account_jwk(key_pem), alg=ES256, user_agent=_USER_AGENT)
            network.session.close()
            network.session = session
            client = ClientV2(ClientV2.get_directory(account.directory, network), network)
            self._sign_in(client, account, url)
            yield client
        except _FAILURES as error:
            is_forgotten = isinstance(error, messages.Error) and error.code == "accountDoesNotExist"
            if is_forgotten:
                self._keeping.note_account(account.name, account.directory, None)
            kind = _AccountForgotten if is_forgotten else OrderFailed
            raise kind(_words(error)[:_MOST_WORDS], retry_after=session.retry_after) from error
        finally:
            session.close()

    def _account_key(self, account: AcmeAccount) -> tuple[str, str | None]:
        kept = self._keeping.account_key(account.name, account.directory)
        if kept is not None:
            return kept
        # Kept before the CA hears of it: an account whose key is lost is nobody's.
        return self._keeping.keep_account_key(account.name, account.directory, new_key(KeyType.EC_P256), self._clock.now())

    def _sign_in(self, client: ClientV2, account: AcmeAccount, url: str | None) -> None:
        """Act for the account, which is made where there is none (RFC 8555 §7.3)."""
        if url is not None:
            client.net.account = messages.RegistrationResource(uri=url, body=messages.Registration())
            return
        terms = client.directory.meta.terms_of_service if "meta" in client.directory.to_partial_json() else None
        if terms and not account.terms_agreed:
            raise OrderFailed(f"the CA has terms of service, {terms}: agree to them by terms_of_service_agreed = true")
        try:
            made = client.new_account(_registration(client, account))
        except errors.ConflictError as known:  # made before, and the note of it was lost
            made = messages.RegistrationResource(uri=known.location, body=messages.Registration())
            client.net.account = made
        self._keeping.note_account(account.name, account.directory, made.uri)

    def _order(self, client: ClientV2, account: AcmeAccount, wanted: AcmeCertificate) -> tuple[messages.OrderResource, str]:
        """Return the order that stands open, if it is for this, or a new one; each with the key."""
        kept = self._keeping.open_order(wanted.name)
        if kept is not None and kept.directory == account.directory:
            order = _resumed(client, kept, wanted)
            if order is not None:
                return order, kept.key_pem
        key_pem = new_key(wanted.key_type)
        order = client.new_order(request_of(key_pem, wanted.names))
        self._keeping.keep_order(wanted.name, OpenOrder(directory=account.directory, url=order.uri, key_pem=key_pem))
        return order, key_pem

    def _proved(self, client: ClientV2, order: messages.OrderResource, until: datetime) -> messages.OrderResource:
        """Answer every challenge that is open, and wait until the CA has seen it; raises `errors.Error`."""
        pending = [each for each in order.authorizations if each.body.status == messages.STATUS_PENDING]
        if not pending:
            return order
        asked = [(challenge, _answer_to(challenge, _key_of(client))) for challenge in map(_over_http, pending)]
        answers = {challenge.chall.encode("token"): answer for challenge, (_response, answer) in asked}
        self._keeping.publish(answers, until=until, now=self._clock.now())
        try:
            for challenge, (response, _answer) in asked:
                client.answer_challenge(challenge, response)
            return client.poll_authorizations(order, _as_the_library(until))
        finally:
            self._keeping.withdraw(answers.keys())


def _as_the_library(until: datetime) -> datetime:
    """Return a moment as the library tells them: by the machine's own time, in its own zone."""
    return until.astimezone().replace(tzinfo=None)


def _registration(client: ClientV2, account: AcmeAccount) -> messages.NewRegistration:
    binding, external = None, account.external_account
    if external is not None:
        binding = messages.ExternalAccountBinding.from_data(
            _key_of(client).public_key(), external.key_id, external.hmac_key, client.directory, external.algorithm
        )
    elif client.external_account_required():
        raise OrderFailed("the CA opens accounts for its customers alone: external_account has to hold what it gave you")
    return messages.NewRegistration.from_data(
        contact=account.contact, terms_of_service_agreed=account.terms_agreed, external_account_binding=binding
    )


def _resumed(client: ClientV2, kept: OpenOrder, wanted: AcmeCertificate) -> messages.OrderResource | None:
    """Return the order as the CA knows it; None where it is over, lost, or for other names."""
    try:
        body = messages.Order.from_json(_read(client, kept.url).json())
        if body.status in _OVER or {each.value for each in body.identifiers} != set(wanted.names):
            return None
        authorizations = [
            messages.AuthorizationResource(body=messages.Authorization.from_json(_read(client, url).json()), uri=url)
            for url in body.authorizations
        ]
    except messages.Error:
        return None  # the CA has forgotten it
    csr_pem = request_of(kept.key_pem, wanted.names)
    return messages.OrderResource(body=body, uri=kept.url, authorizations=authorizations, csr_pem=csr_pem)


def _read(client: ClientV2, url: str) -> requests.Response:
    """POST-as-GET (RFC 8555 §6.3)."""
    return client.net.post(url, None, new_nonce_url=client.directory["newNonce"])


def _over_http(authorization: messages.AuthorizationResource) -> messages.ChallengeBody:
    body = authorization.body
    found = [each for each in body.challenges if isinstance(each.chall, challenges.HTTP01)]
    if not found:
        offered = ", ".join(sorted(each.chall.typ for each in body.challenges)) or "none"
        raise OrderFailed(f"the CA proves {body.identifier.value} by {offered}: only http-01 is answered here")
    return found[0]


def _answer_to(challenge: messages.ChallengeBody, key: JWKEC) -> tuple[challenges.ChallengeResponse, str]:
    """Return what the CA is sent, and what it then finds at its token's address (RFC 8555 §8.3)."""
    response, answer = challenge.response_and_validation(key)
    return response, str(answer)


def _key_of(client: ClientV2) -> JWKEC:
    key: JWKEC | None = client.net.key
    if key is None:
        raise OrderFailed("nothing can be signed without the account's key")
    return key


def _words(error: Exception) -> str:
    """Say what went wrong, in the CA's own words where it has said something."""
    if isinstance(error, errors.ValidationError):
        return "; ".join(_refusals(error)) or "the CA could not verify the names"
    if isinstance(error, errors.TimeoutError):
        return "the CA has not come to an end in time"
    if isinstance(error, messages.Error):
        return f"the CA refused: {_said_by(error)}"
    if isinstance(error, requests.ConnectionError):
        # The first of its arguments wraps what happened in words about retries, of which there are none.
        return f"the CA can't be reached: {getattr(error.args[0] if error.args else error, 'reason', error)}"
    return " ".join(str(error).split()) or type(error).__name__


def _refusals(error: errors.ValidationError) -> Iterator[str]:
    for authorization in error.failed_authzrs:
        for challenge in authorization.body.challenges:
            if challenge.error is not None:
                yield f"the CA could not verify {authorization.body.identifier.value}: {_said_by(challenge.error)}"


def _said_by(error: messages.Error) -> str:
    """Return a CA's own words, those about single names after those about all (RFC 8555 §6.7.1)."""
    told = ((each.detail or each.title or "", each.code or each.typ) for each in (error, *(error.subproblems or ())))
    return "; ".join(" ".join(f"{words} ({code})".split()) for words, code in told)


_FAILURES: Final = (
    errors.Error,
    requests.RequestException,
    DeserializationError,
    OSError,
    ValueError,
    KeyError,
    AttributeError,
)
