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
    """What a client pushed, judged already.

    `browser_sha256` is of the browser that has come with it, `begun_as` the authorization request that was begun for it, and
    `answered_by` the one whose answer the client gets.
    """

    sha256: str
    client_id: str
    parameters: Mapping[str, str]
    expires_at: datetime
    browser_sha256: str | None = None
    begun_as: str | None = None
    answered_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right of a browser to begin what was pushed, taken at a moment; somebody else may take it once that is long ago."""

    sha256: str
    browser_sha256: str
    at: datetime


class ClaimLost(Exception):
    """A claim that somebody else has taken over meanwhile."""


class PushedRequestAnswered(Exception):
    """A pushed request that has led to an answer already, or that is kept no longer."""
