"""A grant: what one PSU has let one client do, as the client can ask about it (Grant Management §6.4)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from datetime import datetime


class GrantAction(StrEnum):
    """What an authorization request wants to become of grants (Grant Management §5.2)."""

    CREATE = "create"
    MERGE = "merge"
    REPLACE = "replace"


GRANTS_PATH: Final = "/grants"
QUERY_SCOPE: Final = "grant_management_query"
REVOKE_SCOPE: Final = "grant_management_revoke"
SCOPES: Final = frozenset({QUERY_SCOPE, REVOKE_SCOPE})


@dataclass(frozen=True, slots=True)
class GrantWish:
    """What a client has asked for: a new grant, or another in the place of `grant_id`.

    `merges` is the scope of the consent that is part of what the PSU is asked for.
    """

    action: GrantAction
    grant_id: str | None = None
    merges: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant whose tokens have been claimed. `authorization_details` is JSON: an array, as granted."""

    id: str
    client_id: str
    authorisation_number: str
    subject: str
    scope: str
    authorization_details: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    @property
    def details(self) -> list[dict[str, Any]]:
        """What was granted."""
        read: list[dict[str, Any]] = json.loads(self.authorization_details)
        return read


@dataclass(frozen=True, slots=True)
class GivenGrant:
    """The grant that a code gives; `replaces` is the scope of what stands in its place, None where nothing does."""

    grant: Grant
    replaces: str | None = None
