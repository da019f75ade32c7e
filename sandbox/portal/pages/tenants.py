"""Pages that need the TPP's tenant at the bank, which there is once its registration is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort

from sandbox.portal.addresses import see_other
from sandbox.portal.pages.paths import tpp_path
from sandbox.portal.visitor import owned_tpp
from sandbox.tpps.model import TppStatus

if TYPE_CHECKING:
    from sandbox.services import Services
    from sandbox.tpps.model import Tpp


def tpp_with_tenant(services: Services, number: str) -> Tpp:
    """Return a TPP of the visitor's own organisation; one whose registration broke off leads to where it is continued."""
    tpp = owned_tpp(services, number)
    if tpp.status is TppStatus.REGISTERING:
        abort(see_other(tpp_path(tpp)))
    return tpp
