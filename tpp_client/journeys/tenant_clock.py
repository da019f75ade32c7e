"""What day it is at the bank: a tenant's clock may have been put forward, and is then ahead of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tpp_client.sandbox_steering import clock_request, process_clock_response

if TYPE_CHECKING:
    from datetime import date

    from tpp_client.journeys.stage import Stage


def day_at_bank(stage: Stage) -> date:
    """Return the tenant's day."""
    return process_clock_response(clock_request(stage.xs2a)).now.date()
