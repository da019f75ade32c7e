"""Whether a redirect URI is a registered one: by every character, but for a native app's port (RFC 8252 §7.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.register.model import ApplicationType

if TYPE_CHECKING:
    from gateway.register.model import Client

# Addresses only: what `localhost` leads to is for each machine to say (RFC 8252 §8.3).
_LOOPBACK: Final = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?([/?].*)?", re.ASCII)


def is_registered(redirect_uri: str, client: Client) -> bool:
    """Answer whether the client may be answered at this address."""
    # Compared character by character: anything cleverer has been used to steal codes (RFC 9700 §2.1).
    if redirect_uri in client.redirect_uris:
        return True
    if client.application_type is not ApplicationType.NATIVE:
        return False
    asked = _without_port(redirect_uri)
    return asked is not None and any(_without_port(uri) == asked for uri in client.redirect_uris)


def _without_port(uri: str) -> tuple[str, str] | None:
    loopback = _LOOPBACK.fullmatch(uri)
    return (loopback.group(1), loopback.group(2) or "") if loopback else None
