"""Finds out what a CA's responder says of a certificate: from what is kept, else by asking."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from gateway.trust.authorities import extension_of
from gateway.trust.fetching import FetchFailed, Order
from gateway.trust.ocsp import MOST_BYTES, OcspFault, ask, read_answer
from gateway.trust.ocsp_status import Answer, OcspStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from datetime import datetime

    from gateway.trust.fetching import Fetched
    from gateway.trust.ocsp_status import Question
    from gateway.trust.rules import RevocationRules, StoreRules
    from psd2.clock import Clock

_MOST_RESPONDERS: Final = 2
OCSP_HEADERS: Final = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}


class KeptAnswers(Protocol):
    """Answers that all workers share."""

    def read(self, key: str) -> OcspStatus | None:
        """Return the answer to a question."""

    def keep(self, key: str, status: OcspStatus, at: datetime) -> OcspStatus:
        """Put an answer in the place of an older one, and return the newer of the two."""


class Fetching(Protocol):
    """Fetches over HTTP."""

    def fetch(self, order: Order) -> Fetched:
        """Return what came; raises `FetchFailed`."""


class OcspClient:
    """Asks responders; every call blocks, for as long as the store's rules give a responder."""

    def __init__(
        self,
        *,
        answers: KeptAnswers,
        fetcher: Fetching,
        clock: Clock,
        rules_of: Callable[[str], StoreRules],
        revoked_by: Callable[[str, x509.Certificate], Container[int]],
    ) -> None:
        """`rules_of` and `revoked_by` are asked by the store's name; the latter for what an issuer's CRL there lists."""
        self._answers = answers
        self._fetcher = fetcher
        self._clock = clock
        self._rules_of = rules_of
        self._revoked_by = revoked_by

    def answer(self, question: Question) -> OcspStatus:
        """Return the newest word; `Answer.NONE` with the reason where there is none. Raises what the database raises."""
        rules, now = self._rules_of(question.store).revocation, self._clock.now()
        revoked = self._revoked_by(question.store, question.issuer)
        kept = self.kept(question)
        if kept is not None and now.timestamp() < min(kept.refresh_at, kept.known_until):
            return kept
        try:
            fresh = self._asked(question, rules)
        except (FetchFailed, OcspFault) as error:
            # The wait begins now: a responder that was silent for longer would be asked again at once, by the same request.
            return without_answer(kept, str(error), now=self._clock.now().timestamp(), retry_seconds=rules.ocsp.retry_seconds)
        newest = _believed(self._answers.keep(question.key, fresh, now), revoked)
        if newest is fresh:
            return fresh
        reason = "the responder repeats an answer that is older than one it has given"
        return without_answer(newest, reason, now=self._clock.now().timestamp(), retry_seconds=rules.ocsp.retry_seconds)

    def kept(self, question: Question) -> OcspStatus | None:
        """Return the answer that somebody has had before, however old, without asking. Raises what the database raises."""
        return _believed(self._answers.read(question.key), self._revoked_by(question.store, question.issuer))

    def _asked(self, question: Question, rules: RevocationRules) -> OcspStatus:
        responders = [rules.ocsp.responder] if rules.ocsp.responder else named_responders(question.certificate)
        if not responders:
            raise OcspFault("the certificate names no responder, and the store neither")
        failures = []
        for responder in responders[:_MOST_RESPONDERS]:
            try:
                return self._asked_of(responder, question, rules)
            except OcspFault as fault:
                failures.append(f"{responder}: {fault}")
            except FetchFailed as failed:
                failures.append(str(failed))
        raise OcspFault("; ".join(failures))

    def _asked_of(self, responder: str, question: Question, rules: RevocationRules) -> OcspStatus:
        asked = ask(question, rules.ocsp.nonce)
        order = Order(
            url=responder,
            deadline_seconds=rules.ocsp.deadline_seconds,
            most_bytes=MOST_BYTES,
            internal_hosts=rules.internal_hosts,
            body=asked.der,
            headers=OCSP_HEADERS,
        )
        body = self._fetcher.fetch(order).body or b""
        revoked = self._revoked_by(question.store, question.issuer)
        return read_answer(body, asked, rules=rules.ocsp, responder=responder, revoked=revoked, now=self._clock.now())


def _believed(kept: OcspStatus | None, revoked: Container[int]) -> OcspStatus | None:
    return kept if kept is not None and kept.is_believed(revoked) else None


def without_answer(kept: OcspStatus | None, reason: str, *, now: float, retry_seconds: float) -> OcspStatus:
    """Return what goes on holding until somebody answers."""
    again = now + retry_seconds
    if kept is not None and kept.verdict is Answer.REVOKED:
        # A revocation is for good: that the responder falls silent must not let anybody in, soft fail or not.
        return replace(kept, known_until=max(kept.known_until, again), refresh_at=again)
    if kept is not None and now < kept.known_until:
        return replace(kept, refresh_at=again)
    return OcspStatus(verdict=Answer.NONE, as_of=now, known_until=again, refresh_at=again, detail=reason)


def named_responders(certificate: x509.Certificate) -> list[str]:
    """Return whom a certificate says to ask about it (RFC 5280 §4.2.2.1)."""
    access = extension_of(certificate, x509.AuthorityInformationAccess)
    return [
        description.access_location.value
        for description in access or ()
        if description.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(description.access_location, x509.UniformResourceIdentifier)
    ]
