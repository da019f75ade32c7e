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
from sandbox.tpps.errors import Fault, RegistrationRefused
from sandbox.tpps.model import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME: Final = "client.key"
DPOP_NAME: Final = "dpop.key"
NAMES: Final = (NAME, DPOP_NAME)
"""What a program that speaks as the client needs of them."""
_NEXT, _PREVIOUS = "client.next.key", "client.previous.key"


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
    return {**metadata, "jwks": known if own in known.get("keys", ()) else {"keys": [own]}}


def next_keys(folder: Path, *, at_once: bool) -> dict[str, Any]:
    """Make the key that comes after `client.key`, and return the set to register before it is signed with."""
    (folder / _NEXT).unlink(missing_ok=True)
    after = _public_key(_ensure(folder / _NEXT))
    return {"keys": [after] if at_once else [after, _public_key(folder / NAME)]}


def put_next_in_use(folder: Path) -> None:
    """Sign with the next key from now on; the one before is put aside as `client.previous.key`."""
    (folder / NAME).replace(folder / _PREVIOUS)
    (folder / _NEXT).replace(folder / NAME)


def _signs(metadata: Mapping[str, Any], profile: Profile) -> bool:
    signs_requests = profile is Profile.FAPI2_MESSAGE_SIGNING or metadata.get("require_signed_request_object") is True
    return signs_requests or metadata.get("token_endpoint_auth_method") == "private_key_jwt"


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
