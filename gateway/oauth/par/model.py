"""A pushed authorization request, and the reference that stands for it once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

REQUEST_URI_PREFIX: Final = "urn:ietf:params:oauth:request_uri:"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRequest:
    """What a client pushed, judged already. `answered_by` is the authorization request whose answer the client gets."""

    sha256: str
    client_id: str
    parameters: Mapping[str, str]
    expires_at: datetime
    answered_by: str | None = None


class PushedRequestAnswered(Exception):
    """A pushed request that has led to an answer already, or that is kept no longer."""
