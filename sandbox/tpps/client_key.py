"""The key with which a TPP's client signs: `client.key` in the TPP's folder, made where the client needs one and has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from chassis.files import write_private
from sandbox.tpps.model import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME: Final = "client.key"


def with_own_key(metadata: Mapping[str, Any], profile: Profile, folder: Path) -> dict[str, Any]:
    """Return the metadata, with the public half of the folder's key where the client has to sign and brings no keys."""
    signs = metadata.get("token_endpoint_auth_method") == "private_key_jwt" or profile is Profile.FAPI2_MESSAGE_SIGNING
    if not signs or "jwks" in metadata or "jwks_uri" in metadata:
        return dict(metadata)
    return {**metadata, "jwks": {"keys": [_public_key(folder / NAME)]}}


def _public_key(path: Path) -> dict[str, Any]:
    if not path.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        write_private(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = ECKey.import_key(path.read_bytes())
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "alg": "ES256", "use": "sig"}
