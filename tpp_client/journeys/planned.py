"""Payments of another day: future-dated, cancelled in time, again and again, and several at once (BG IG 1.3.8 §5.3, §5.6).

They move the clock of the TPP's own tenant, so that nobody has to wait for the day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tpp_client.errors import TppClientError
from tpp_client.journeys.following import FAILED, SETTLED, follow, status_of
from tpp_client.journeys.leading import EMBEDDED_PREFERRED, carry_through, require_approach
from tpp_client.journeys.pis import PisResult, initiate, lunch, ordered
from tpp_client.journeys.tenant_clock import day_at_bank
from tpp_client.payments import BulkOrder, StandingOrder, cancellation_request, process_cancellation_response
from tpp_client.sandbox_steering import clock_advance_request, process_clock_response

if TYPE_CHECKING:
    from psd2.ids import PaymentId
    from tpp_client.journeys.stage import Stage

_DAYS_AHEAD = 3
WAITING = frozenset({"ACTC", "ACSP"})  # taken, and waiting for its day


@dataclass(frozen=True, slots=True)
class StandingResult:
    """What a standing order came to within the days that the journey let pass."""

    payment_id: PaymentId
    status: str
    days: int

    def as_json(self) -> dict[str, object]:
        """Return it for `--json`."""
        return {"payment_id": self.payment_id, "status": self.status, "days": self.days}


def scheduled_journey(stage: Stage, psu: str) -> PisResult:
    """Pay in three days: nothing moves before, then it does by itself; raises `TppClientError`."""
    _, at_once = lunch(stage, psu)
    order = replace(at_once, execution_date=day_at_bank(stage) + timedelta(days=_DAYS_AHEAD))
    payment = ordered(stage, order)
    follow(stage, payment, until=WAITING)
    _let_pass(stage, _DAYS_AHEAD)
    return PisResult(payment.payment_id, follow(stage, payment), order)


def cancelled_journey(stage: Stage, psu: str) -> PisResult:
    """Order a payment for another day and cancel it in time, the PSU confirming both; raises `TppClientError`."""
    payer, at_once = lunch(stage, psu)
    order = replace(at_once, execution_date=day_at_bank(stage) + timedelta(days=_DAYS_AHEAD))
    payment = initiate(stage, order, headers={**EMBEDDED_PREFERRED, "PSU-ID": psu})
    require_approach(payment.sca, "EMBEDDED")
    carry_through(stage, payment.sca, payer)
    follow(stage, payment, until=WAITING)
    stage.narrator.step("Cancel it in time", "BG IG §5.6")
    cancellation = process_cancellation_response(cancellation_request(stage.xs2a, payment))
    if cancellation.sca is not None:
        carry_through(stage, cancellation.sca, payer)
    return PisResult(payment.payment_id, follow(stage, payment, until={"CANC"}), order)


def standing_journey(stage: Stage, psu: str) -> StandingResult:
    """Pay every day from tomorrow on, and see the first days' payments made; raises `TppClientError`."""
    _, daily = lunch(stage, psu)
    order = StandingOrder(order=daily, start=day_at_bank(stage) + timedelta(days=1), frequency="Daily")
    payment = ordered(stage, order)
    follow(stage, payment, until=WAITING)
    _let_pass(stage, _DAYS_AHEAD)
    status = status_of(stage, payment)
    if status in FAILED:
        msg = f"the standing order is {status}"
        raise TppClientError(msg)
    return StandingResult(payment.payment_id, status, _DAYS_AHEAD)


def bulk_journey(stage: Stage, psu: str) -> PisResult:
    """Pay twice with one confirmation; raises `TppClientError`."""
    _, one = lunch(stage, psu)
    order = BulkOrder(orders=(one, replace(one, remittance="And for the coffee")))
    payment = ordered(stage, order)
    return PisResult(payment.payment_id, follow(stage, payment, until=SETTLED), order)


def _let_pass(stage: Stage, days: int) -> None:
    stage.narrator.step(f"Let {days} days pass on the tenant's clock", "")
    told = process_clock_response(clock_advance_request(stage.xs2a, by=f"P{days}D"))
    stage.narrator.fact("now", f"{told.now:%Y-%m-%d %H:%M} UTC, {told.tasks_run} tasks of the bank done")
