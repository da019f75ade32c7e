"""Time-based one-time passwords: secrets, addresses for authenticator apps, and which step a code belongs to (RFC 6238).

A PSU's authenticator knows no time but the real one: steps are counted by that, not by the tenant's clock.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from bank_backend.sca.model import CODE_DIGITS

if TYPE_CHECKING:
    from datetime import datetime

ISSUER: Final = "Musterbank"
# RFC 4226 §4 R6: 160 bits.
SECRET_BYTES: Final = 20
STEP_SECONDS: Final = 30
# RFC 6238 §5.2: one step of delay either way.
_NEIGHBOURS: Final = (0, -1, 1)


def new_totp_secret() -> bytes:
    """Return a fresh secret."""
    return secrets.token_bytes(SECRET_BYTES)


def base32_of(secret: bytes) -> str:
    """Return a secret as people type it into an authenticator."""
    return base64.b32encode(secret).decode().rstrip("=")


def secret_of(base32: str) -> bytes:
    """Return the secret that base32 text holds."""
    return base64.b32decode(base32 + "=" * (-len(base32) % 8))


def code_at(secret: bytes, moment: datetime) -> str:
    """Return the code that an authenticator shows at a moment."""
    return _code(secret, _step(moment))


def matching_step(secret: bytes, code: str, *, moment: datetime, after: int | None) -> int | None:
    """Return the step that the code belongs to, or None; a step up to `after` has been used (RFC 6238 §5.2: once only)."""
    now = _step(moment)
    steps = [now + offset for offset in _NEIGHBOURS if after is None or now + offset > after]
    return next((step for step in steps if hmac.compare_digest(_code(secret, step).encode(), code.encode())), None)


def provisioning_uri(secret: bytes, *, account: str) -> str:
    """Return the `otpauth` address that an authenticator reads from a QR code."""
    return _totp(secret).get_provisioning_uri(account, ISSUER)


def _step(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP_SECONDS


def _code(secret: bytes, step: int) -> str:
    return _totp(secret).generate(step * STEP_SECONDS).decode()


def _totp(secret: bytes) -> TOTP:
    # SHA-1 is what authenticator apps know; as HMAC it is sound (RFC 6238 §1.2).
    return TOTP(secret, CODE_DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - see above
