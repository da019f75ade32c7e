"""Where a TPP's pages are in the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from sandbox.tpps.model import Tpp


def tpp_path(tpp: Tpp, *segments: str) -> str:
    """Return the path of a TPP's page, or of one below it."""
    return "/".join(["/tpps", *(quote(each, safe="") for each in (str(tpp.authorisation_number), *segments))])
