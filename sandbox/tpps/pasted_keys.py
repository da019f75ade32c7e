"""Public keys as people paste them: a JWK Set, or one JWK. A private key is refused before it goes anywhere."""

from __future__ import annotations

from typing import Any, Final

import orjson

_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_SET: Final = '{"keys": [{"kty": "EC", …}]}'


class KeysUnreadable(ValueError):
    """Text that holds no public keys; the message says what would be right."""


class PrivateKeyPasted(KeysUnreadable):
    """A private key, which whoever reads this page, or the network, may have now."""

    def __init__(self) -> None:
        """Say what to do about it."""
        super().__init__(
            "That holds a private key, which nobody but you may have: take it out of use, make another, paste its public half"
        )


def read_pasted_keys(text: str) -> dict[str, Any] | None:
    """Return the JWK Set, None for nothing; raises `KeysUnreadable`. What each key is worth, the gateway judges."""
    if not text.strip():
        return None
    if "PRIVATE KEY-----" in text:
        raise PrivateKeyPasted
    if "-----BEGIN" in text:
        raise KeysUnreadable(f"That is PEM: paste the public key as JSON, as the command below prints it: {_SET}")
    return _as_set(_read(text))


def _read(text: str) -> dict[str, Any]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise KeysUnreadable(f"That is not JSON ({error}): paste a JWK Set, such as {_SET}") from error
    if not isinstance(document, dict):
        raise KeysUnreadable(f"Paste a JWK Set, such as {_SET}")
    return document


def _as_set(document: dict[str, Any]) -> dict[str, Any]:
    whole = document if "keys" in document else {"keys": [document]}
    keys = whole["keys"]
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise KeysUnreadable(f"Paste a JWK Set with one key at least, such as {_SET}")
    require_public(whole)
    return whole


def require_public(jwks: object) -> None:
    """Raise `PrivateKeyPasted` for a JWK Set that holds a private or shared key; what else may be wrong, others judge."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if any(isinstance(key, dict) and _PRIVATE & key.keys() for key in (keys if isinstance(keys, list) else ())):
        raise PrivateKeyPasted
