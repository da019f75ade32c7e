"""Fetches what is stapled to our own certificate, checks it as a client would, and fetches it anew before it runs out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from cryptography.hazmat.primitives.serialization import Encoding

from chassis.logs import get_logger
from gateway.trust.fetching import FetchFailed, Order
from gateway.trust.ocsp import MOST_BYTES, OcspFault, ask, read_answer
from gateway.trust.ocsp_client import OCSP_HEADERS, named_responders
from gateway.trust.ocsp_status import Answer, Question
from gateway.trust.pem import UnreadablePem, read_certificates
from gateway.trust.rules import Nonce, OcspRules
from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.edge.tls.stapling import Staple
    from gateway.trust.fetching import Fetched
    from gateway.trust.ocsp_status import OcspStatus
    from psd2.clock import Clock

_LOOK_SECONDS: Final = 5.0
_DEADLINE_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 15.0
_RULES: Final = OcspRules(refresh_seconds=3_600)


class Fetching(Protocol):
    """Fetches over HTTP."""

    def fetch(self, order: Order) -> Fetched:
        """Return what came; raises `FetchFailed`."""


class Stapler:
    """Keeps the staple of one certificate, by its chain: the leaf and its issuer."""

    def __init__(
        self, chain: Callable[[], str], staple: Staple, *, fetcher: Fetching, internal_hosts: frozenset[str], clock: Clock
    ) -> None:
        """Staple nothing yet; `internal_hosts` (`host:port`) may be asked although they are on no public network.

        `chain` returns it as PEM, and may raise `OSError`, `UnicodeDecodeError`.
        """
        self._chain = chain
        self._staple = staple
        self._fetcher = fetcher
        self._internal_hosts = internal_hosts
        self._clock = clock
        self._pem = ""
        self._known_until = 0.0
        self._ask_at = 0.0
        self._is_failing = False
        self._sha256 = ""

    async def keep(self) -> None:
        """Keep it until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self) -> None:
        """Do what is due; blocks."""
        now = self._clock.now().timestamp()
        try:
            pem = self._chain()
            if pem != self._pem:
                # A new certificate goes without a staple for a moment: the old one's would break its handshakes.
                self._pem, self._ask_at, self._staple.response = pem, now, None
            if now >= self._ask_at:
                self._renew(now)
        except (OSError, UnicodeDecodeError, UnreadablePem, FetchFailed, OcspFault) as error:
            self._note(error, now)
        if now >= self._known_until:
            self._staple.response = None

    def _renew(self, now: float) -> None:
        certificates = read_certificates(self._pem, most_characters=200_000)
        self._sha256 = sha256_hex(certificates[0].public_bytes(Encoding.DER))
        if len(certificates) == 1:
            raise OcspFault("the certificate comes without its issuer, so that no answer could be checked")
        response, status = self._asked(Question("own", certificates[0], certificates[1]))
        self._staple.response = response
        if self._chain() != self._pem:
            self._staple.response = None  # of a certificate that was replaced while its responder was asked
            return
        self._known_until, self._ask_at = status.known_until, max(status.refresh_at, now + 1)
        self._is_failing = False

    def _asked(self, question: Question) -> tuple[bytes, OcspStatus]:
        responders = named_responders(question.certificate)
        if not responders:
            raise OcspFault("the certificate names no responder")
        asked = ask(question, Nonce.OFF)
        order = Order(
            url=responders[0],
            deadline_seconds=_DEADLINE_SECONDS,
            most_bytes=MOST_BYTES,
            internal_hosts=self._internal_hosts,
            body=asked.der,
            headers=OCSP_HEADERS,
        )
        response = self._fetcher.fetch(order).body or b""
        status = read_answer(response, asked, rules=_RULES, responder=responders[0], revoked=(), now=self._clock.now())
        if status.verdict is not Answer.GOOD:
            raise OcspFault(f"the responder says of our own certificate: {status.verdict}")
        return response, status

    def _note(self, error: Exception, now: float) -> None:
        self._ask_at = now + _RETRY_SECONDS
        if not self._is_failing:
            get_logger().warning("tls.no_staple", certificate=self._sha256, error=str(error))
        self._is_failing = True
