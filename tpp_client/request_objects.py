"""Signed authorization requests: what is asked for, under the client's signature (RFC 9101, FAPI 2.0 MS §5.3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psd2.ids import new_uuid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tpp_client.signing_keys import SigningKey

REQUEST_TYP: Final = "oauth-authz-req+jwt"
REQUEST_SECONDS: Final = 300


def request_object_claims(parameters: Mapping[str, str], *, issuer: str, now: float) -> dict[str, object]:
    """Return what a request object says: all parameters, from whom, to whom, from when until when, under which name."""
    begins = int(now)
    times = {"iat": begins, "nbf": begins, "exp": begins + REQUEST_SECONDS}
    return {"iss": parameters["client_id"], "aud": issuer, "jti": new_uuid(), **times, **parameters}


def signed_parameters(parameters: Mapping[str, str], *, issuer: str, key: SigningKey, now: float) -> dict[str, str]:
    """Return the parameters that carry the others signed: nothing stands beside the request object (RFC 9126 §3)."""
    claims = request_object_claims(parameters, issuer=issuer, now=now)
    return {"client_id": parameters["client_id"], "request": key.signed(claims, header={"typ": REQUEST_TYP})}
