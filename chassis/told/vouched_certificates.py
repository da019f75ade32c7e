"""How the edge tells an internal server who vouches for a client certificate that it has let in."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

HEADER: Final = "X-Sandbox-Certificate"


class Vouched(StrEnum):
    """By whose word a certificate was let in; nothing is told of those of partners who are no TPPs."""

    QWAC = "qwac"  # a trusted authority's: its holder is the TPP whose number and names it holds
    REGISTERED = "registered"  # a client's, which registered it by its hash: nothing that it holds counts (RFC 8705 §2.2)
