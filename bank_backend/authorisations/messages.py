"""What a TPP shows the PSU while an authorisation is under way: `psuMessage` (BG IG 1.3.8 §7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.authorisations.model import ScaStatus
from bank_backend.personalities.model import ScaApproach

if TYPE_CHECKING:
    from bank_backend.authorisations.model import Authorisation


def psu_message(authorisation: Authorisation) -> str | None:
    """Return what the PSU has to do away from the TPP's screen, None where nothing."""
    if authorisation.approach is ScaApproach.DECOUPLED and authorisation.is_open and authorisation.psu is not None:
        return "Please open your bank app and approve the request there."
    if authorisation.status is ScaStatus.UNCONFIRMED:
        return "You have approved at your bank; it waits for the confirmation of the company that asked."
    return None
