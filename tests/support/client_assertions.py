"""What a client signs to say who it is, at the moment at which the small world around the server begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.support.authorization import CLIENT, START
from tests.support.authorization_bank import ISSUER
from tests.support.jose import es256

if TYPE_CHECKING:
    from tests.support.jose import Signer

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NOW: Final = int(START.timestamp())


def assertion(*, signer: Signer | None = None, header: dict[str, object] | None = None, **changes: object) -> str:
    """Return a client's assertion; a change of None leaves a claim out."""
    claims = {"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "one"} | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return (signer or es256()).sign(kept, **(header or {}))
