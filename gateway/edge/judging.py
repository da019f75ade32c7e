"""What a worker judges requests by: the checks of admission, those of signatures, and the look-ups that they ask for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gateway.admission.looking_up import MOST_LOOK_UPS, load, looked_up
from gateway.admission.memory import NotLoaded
from gateway.admission.refusal import Refusal
from gateway.admission.signatures import SignedRequest, has_seal_to_judge, judged_signature, require_demanded
from gateway.admission.standing import admitted
from gateway.changes.feed import StaleFeed
from gateway.trust.model import TPP_STORE

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.admission.admit import Admission
    from gateway.admission.knowledge import Knowledge
    from gateway.admission.signatures import SignatureVerdict
    from gateway.audit.exchange import Exchange
    from gateway.config import GatewaySettings
    from gateway.edge.client_head import ClientHead
    from gateway.edge.message_signatures import RequestSignatures
    from gateway.relays.part import Relays


class Judging:
    """One worker's. `now` tells epoch seconds."""

    def __init__(
        self,
        knowledge: Knowledge,
        relays: Relays,
        request_signatures: RequestSignatures,
        settings: GatewaySettings,
        now: Callable[[], float],
    ) -> None:
        """Judge nothing yet."""
        self._knowledge = knowledge
        self._relays = relays
        self._request_signatures = request_signatures
        self._settings = settings
        self._now = now

    def admit(self, exchange: Exchange, now: float) -> None:
        """Run the checks; raises `Refusal`, and `NotLoaded` or `StaleFeed` where something has to be looked up first."""
        if exchange.request.connection.listener.asks_for_certificate and not self._knowledge.feed.is_fresh:
            raise StaleFeed
        if self._relays.bring_certificates:
            request = exchange.request
            request.connection = self._relays.seen_connection(request, self._knowledge, now)
        exchange.admission = admitted(exchange.request, self._knowledge, now, exchange.admission)

    async def admit_after_looking_up(self, exchange: Exchange) -> None:
        """Run the checks, and look up what they lack, so often; raises `Refusal`."""
        for _ in range(MOST_LOOK_UPS):
            try:
                self.admit(exchange, self._now())
            except NotLoaded as missing:
                await load(missing)
            except StaleFeed:
                await self._knowledge.require_fresh()
            else:
                return
        raise Refusal("gateway.unsure", "what the checks need changes faster than it can be looked up")

    async def judge_signature(
        self, exchange: Exchange, head: ClientHead, body: bytes, *, is_spent: bool = True
    ) -> SignatureVerdict | None:
        """Judge signatures where the route wants them judged; raises `Refusal` where it demands a valid one.

        The verdict is on the seal's: a message signature that is there and judged is good, or raises.
        """
        await self._request_signatures.require(exchange, head, body, is_spent=is_spent)
        admission, rule = exchange.admission, exchange.admission.taken.signature
        if not has_seal_to_judge(rule, bears_seal=head.bears_seal) or head.signed is None:
            return None
        signed = SignedRequest(exchange.request, head.signed, body)
        # The judge may be missing, or what a responder says of the seal's certificate.
        verdict = exchange.signature = await looked_up(partial(self._judged_signature, signed, admission))
        require_demanded(rule, verdict)
        return verdict

    def _judged_signature(self, signed: SignedRequest, admission: Admission) -> SignatureVerdict:
        store = admission.route.trust_store if admission.route is not None else TPP_STORE
        judge, longest_age = self._knowledge.judge_of(store), self._settings.signature_seconds
        return judged_signature(signed, admission.tpp, judge, now=self._now(), longest_age=longest_age)
