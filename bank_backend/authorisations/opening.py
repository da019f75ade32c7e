"""What a TPP has said, with a resource, about how it is to be authorised: kept for authorisations that start later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bank_backend.calls import TppCall
    from psd2.ids import PsuId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A TPP's wishes for one resource. `psu` is the PSU that `PSU-ID` names."""

    tenant: TenantId
    resource: str
    psu: PsuId | None = None
    redirect_preferred: bool | None = None
    decoupled_preferred: bool | None = None
    return_url: str | None = None
    nok_return_url: str | None = None

    def overlaid(self, call: TppCall, psu: PsuId | None) -> Opening:
        """Return it with what a later call says instead; what that leaves out stays (BG IG §7.1: "not yet transmitted")."""
        is_redirect, is_decoupled = call.redirect_preferred, call.decoupled_preferred
        return replace(
            self,
            psu=self.psu if psu is None else psu,
            redirect_preferred=self.redirect_preferred if is_redirect is None else is_redirect,
            decoupled_preferred=self.decoupled_preferred if is_decoupled is None else is_decoupled,
            return_url=call.redirect_uri or self.return_url,
            nok_return_url=call.nok_redirect_uri or self.nok_return_url,
        )
