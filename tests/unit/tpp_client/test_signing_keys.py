"""The keys with which a client signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws

from tpp_client.errors import IdentityUnusable
from tpp_client.signing_keys import Algorithms, load_signing_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KINDS: dict[str, Callable[[], Any]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
}


def kept(folder: Path, key: Any) -> Path:
    path = folder / "client.key"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@pytest.mark.parametrize("alg", KINDS)
def test_each_kind_of_key_has_its_algorithm(tmp_path: Path, alg: str) -> None:
    """And what it signs is verified by its public half, which holds nothing private."""
    key = load_signing_key(kept(tmp_path, KINDS[alg]()))

    message = jws.deserialize_compact(key.signed({"a": 1}), key.key, registry=Algorithms(alg))

    assert message.headers() == {"alg": alg, "kid": key.thumbprint}
    assert (key.alg, key.public["kid"]) == (alg, key.thumbprint)
    assert not {"d", "p", "q"} & key.public.keys()


@pytest.mark.parametrize(
    "make",
    [
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505 - to be refused
    ],
    ids=["another curve", "too short"],
)
def test_other_keys_are_none(tmp_path: Path, make: Callable[[], Any]) -> None:
    """FAPI 2.0 SP §5.4.1."""
    key = make()
    with pytest.raises(IdentityUnusable, match=r"client\.key.*EC P-256, Ed25519, or RSA"):
        load_signing_key(kept(tmp_path, key))


def test_a_key_is_called_what_the_bank_calls_it(tmp_path: Path) -> None:
    """Whoever registered it may have named it."""
    path = kept(tmp_path, KINDS["ES256"]())
    public = load_signing_key(path).public

    assert load_signing_key(path, registered={"keys": [public | {"kid": "spring"}]}).kid == "spring"


def test_a_key_that_the_bank_does_not_know_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    """Instead of a refusal further on."""
    registered = {"keys": [load_signing_key(kept(tmp_path, KINDS["ES256"]())).public]}

    with pytest.raises(IdentityUnusable, match="none of the keys that the bank knows"):
        load_signing_key(kept(tmp_path, KINDS["ES256"]()), registered=registered)
