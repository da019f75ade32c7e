"""A backchannel authentication request, as it is kept between the asking and the tokens (CIBA Core §7.1, §11)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

BC_AUTHORIZE_PATH: Final = "/bc-authorize"
INTERVAL_SECONDS: Final = 5  # CIBA Core §7.3: what counts where none is said, and what `slow_down` adds
USUAL_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class BackchannelRequest:
    """A request that a PSU is deciding on. `sha256` is of its `auth_req_id`, `authorisation` the bank's name for it.

    `is_made`: its consent or payment was made for it. `grant_id` is the grant that is to be changed, `merges` the scope of the
    consent that is part of this one. `ping` is what the client's endpoint is told, sealed; None for a client
    that polls. `ping_at` is when that, or what became of the request, is to be looked at next; None: not any more.
    """

    sha256: str
    client_id: str
    authorisation_number: str
    scope: str
    subject: str
    authorisation: str
    interval: int
    created_at: datetime
    expires_at: datetime
    is_made: bool = False
    authorization_details: str | None = None
    grant_action: str | None = None
    grant_id: str | None = None
    merges: str | None = None
    polled_at: datetime | None = None
    ping: str | None = field(default=None, repr=False)
    ping_at: datetime | None = None
    pings: int = 0


class PolledTooSoon(Exception):
    """A poll within the interval; the interval has grown."""
