"""The keys of a TPP's client: `client.key` in the TPP's folder signs, `dpop.key` is what its tokens are bound to.

Made where the client needs them and brings none; the bank hears of public halves alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from chassis.files import write_private
from sandbox.tpps import client_certificate
from sandbox.tpps.errors import Fault, RegistrationRefused
from sandbox.tpps.model import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME: Final = "client.key"
DPOP_NAME: Final = "dpop.key"
NAMES: Final = (NAME, DPOP_NAME)
"""What a program that speaks as the client needs of them."""
NEXT: Final = "client.next.key"
_PREVIOUS: Final = "client.previous.key"
_BY_KEY: Final = ("private_key_jwt", client_certificate.METHOD)


def with_own_key(metadata: Mapping[str, Any], profile: Profile, folder: Path) -> dict[str, Any]:
    """Return the metadata, with the public half of the folder's key where the client has to sign and brings no keys.

    Raises `RegistrationRefused` where `client.key` is none that this command has made.
    """
    if metadata.get("dpop_bound_access_tokens") is True:
        _ensure(folder / DPOP_NAME)
    if not _signs(metadata, profile) or "jwks" in metadata or "jwks_uri" in metadata:
        return dict(metadata)
    own, known = _public_key(_ensure(folder / NAME)), _known_keys(folder)
    # A key that was changed stands beside the one before it, until that is taken out.
    stands = any(key.get("kid") == own["kid"] for key in known.get("keys", ()))
    return {**metadata, "jwks": known if stands else {"keys": [own]}}


def next_keys(folder: Path, standing: Mapping[str, Any], *, at_once: bool) -> dict[str, Any]:
    """Make the key that comes after `client.key`, and return the set to register before it is signed with.

    Of those that are `standing` the one in use stays until the next change, or ends `at_once`.
    """
    for stale in (folder / NEXT, (folder / NEXT).with_suffix(".crt")):
        stale.unlink(missing_ok=True)
    after, current = _public_key(_ensure(folder / NEXT)), _public_key(folder / NAME)["kid"]
    kept = [] if at_once else [key for key in standing.get("keys", ()) if key.get("kid") == current]
    return {"keys": [after, *kept]}


def put_next_in_use(folder: Path) -> None:
    """Sign with the next key from now on, its certificate with it; those before are put aside as `client.previous`."""
    for suffix in (".key", ".crt"):
        after = (folder / NEXT).with_suffix(suffix)
        if after.exists():
            (folder / NAME).with_suffix(suffix).replace((folder / _PREVIOUS).with_suffix(suffix))
            after.replace((folder / NAME).with_suffix(suffix))


def _signs(metadata: Mapping[str, Any], profile: Profile) -> bool:
    signs_requests = profile is Profile.FAPI2_MESSAGE_SIGNING or metadata.get("require_signed_request_object") is True
    signs_requests = signs_requests or metadata.get("backchannel_authentication_request_signing_alg") is not None
    return signs_requests or metadata.get("token_endpoint_auth_method") in _BY_KEY


def _ensure(path: Path) -> Path:
    if not path.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        write_private(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def _public_key(path: Path) -> dict[str, Any]:
    try:
        key = ECKey.import_key(path.read_bytes())
        kid = key.thumbprint()
    except (JoseError, ValueError) as error:
        text = f"{path} holds no EC key on P-256: bring the public half of your own with --jwks, or move it away"
        raise RegistrationRefused((Fault("jwks", text),)) from error
    return {**key.as_dict(private=False), "kid": kid, "alg": "ES256", "use": "sig"}


def _known_keys(folder: Path) -> dict[str, Any]:
    try:
        known = orjson.loads((folder / "client.json").read_bytes()).get("jwks")
    except (FileNotFoundError, ValueError, AttributeError):
        return {}
    return known if isinstance(known, dict) else {}
