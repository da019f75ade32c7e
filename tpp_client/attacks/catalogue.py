"""All attacks, by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from tpp_client.attacks import certificates, codes, signatures, tokens
from tpp_client.errors import TppClientError

if TYPE_CHECKING:
    from tpp_client.attacks.model import Attack

_ATTACKS = (*certificates.ATTACKS, *tokens.ATTACKS, *codes.ATTACKS, *signatures.ATTACKS)
CATALOGUE = MappingProxyType({attack.name: attack for attack in _ATTACKS})


def attacks_named(name: str) -> tuple[Attack, ...]:
    """Return the attack of that name, or every one for `all`; raises `TppClientError` naming those there are."""
    if name == "all":
        return tuple(CATALOGUE.values())
    if name not in CATALOGUE:
        msg = f"no attack {name!r}; there are: {', '.join(CATALOGUE)}, and all"
        raise TppClientError(msg)
    return (CATALOGUE[name],)
