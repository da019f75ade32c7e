"""A request that makes something, as it is known again (XS2A 1.3.11 `X-Request-ID`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bank_backend.errors import FormatError

if TYPE_CHECKING:
    from psd2.ids import TenantId


class Made(StrEnum):
    """What a request can have made: the same X-Request-ID may make one of each."""

    CONSENT = "consent"
    FUNDS_CONSENT = "funds-consent"
    AUTHORISATION = "authorisation"

    @property
    def words(self) -> str:
        """What it is called in a refusal."""
        return self.value.replace("-", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class MakingRequest:
    """A TPP's request. `digest` tells it from one that asks for something else."""

    tenant: TenantId
    kind: Made
    x_request_id: str
    digest: str

    def require_same(self, digest: str) -> None:
        """Raise `FormatError` unless the first request under this X-Request-ID asked for the same."""
        if digest != self.digest:
            text = f"this X-Request-ID has made another {self.kind.words} already: send each under a new UUID"
            raise FormatError(text, path="X-Request-ID")


def making_request(tenant: TenantId, kind: Made, *, x_request_id: str, asked: bytes) -> MakingRequest:
    """Return the request that asks for this: its body, or what tells it from others where that holds a secret."""
    digest = hashlib.sha256(asked).hexdigest()
    # A UUID's hexadecimal digits mean the same in either case.
    return MakingRequest(tenant=tenant, kind=kind, x_request_id=x_request_id.lower(), digest=digest)
