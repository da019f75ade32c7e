"""All attacks, by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from tpp_client.attacks import (
    assertions,
    certificates,
    codes,
    message_signatures,
    proofs,
    requests,
    signatures,
    tokens,
)
from tpp_client.errors import TppClientError

if TYPE_CHECKING:
    from tpp_client.attacks.model import Attack

# Those with the victim's token come first: each consent that is authorised later ends the one that it stands for.
_WITH_TOKEN = (*certificates.ATTACKS, *tokens.ATTACKS, *proofs.ATTACKS, *message_signatures.ATTACKS)
_ATTACKS = (*_WITH_TOKEN, *codes.ATTACKS, *signatures.ATTACKS, *assertions.ATTACKS, *requests.ATTACKS)
_FAPI = (*proofs.ATTACKS, *message_signatures.ATTACKS, *assertions.ATTACKS, *requests.ATTACKS)
CATALOGUE = MappingProxyType({attack.name: attack for attack in _ATTACKS})
GROUPS = MappingProxyType({"all": _ATTACKS, "fapi": _FAPI})


def attacks_named(name: str) -> tuple[Attack, ...]:
    """Return the attack of that name, or those of a group, such as `all`; raises `TppClientError` naming those there are."""
    if name in GROUPS:
        return GROUPS[name]
    if name not in CATALOGUE:
        msg = f"no attack {name!r}; there are: {', '.join(CATALOGUE)}; and the groups {', '.join(GROUPS)}"
        raise TppClientError(msg)
    return (CATALOGUE[name],)
