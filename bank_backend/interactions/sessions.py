"""Which browser a visit belongs to: the one that keeps the secret, of which the bank keeps the hash."""

from __future__ import annotations

import hashlib
from hmac import compare_digest
from typing import TYPE_CHECKING

from bank_backend.interactions.errors import OtherBrowser

if TYPE_CHECKING:
    from bank_backend.interactions.model import Interaction
    from psd2.ids import PsuId


def digest_of(secret: str) -> str:
    """Return what the bank keeps of a browser's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_session(interaction: Interaction, secret: str) -> bool:
    """Tell whether the browser that keeps `secret` is the one that this visit belongs to."""
    return interaction.session is not None and compare_digest(interaction.session, digest_of(secret))


def require_session(interaction: Interaction, secret: str) -> PsuId:
    """Return the PSU that has logged in with this browser; raises `OtherBrowser`."""
    if not is_session(interaction, secret) or interaction.psu is None:
        raise OtherBrowser("nobody has signed in for this request with this browser window: start again where you came from")
    return interaction.psu
