"""Where a TOTP's secret comes from: sealed in the database, or published as test data."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from bank_backend.sca.totp import SECRET_BYTES, base32_of, secret_of
from chassis.sealing import SealBroken

if TYPE_CHECKING:
    from bank_backend.sca.enrolled import EnrolledMethod
    from chassis.sealing import Seal


class TotpSecrets:
    """Seals a new secret for one method, and opens it for that one only."""

    def __init__(self, seal: Seal) -> None:
        """Seal with `seal`."""
        self._seal = seal

    def sealed(self, secret: bytes, *, method: str) -> bytes:
        """Return the secret as it is kept."""
        return self._seal.close(secret, owner=method)

    def secret_of(self, enrolled: EnrolledMethod) -> bytes:
        """Return the secret; raises `SealBroken`."""
        if enrolled.published_secret is not None:
            return secret_of(enrolled.published_secret)
        if enrolled.sealed_secret is None:
            raise SealBroken(f"the method {enrolled.id} has no secret")
        return self._seal.open(enrolled.sealed_secret, owner=enrolled.id)


def published_secret(seed: str, login: str) -> str:
    """Return the base32 secret of a persona whose authenticator is test data; the same for the same seed."""
    return base32_of(hmac.digest(seed.encode(), f"totp\0{login}".encode(), hashlib.sha256)[:SECRET_BYTES])
