"""The hyperlinks that steer an authorisation, state by state (BG IG 1.3.8 §4.15, §14.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.authorisations.approaches import REDIRECTS
from bank_backend.authorisations.model import ScaStatus
from bank_backend.personalities.model import ScaApproach

if TYPE_CHECKING:
    from bank_backend.authorisations.model import Authorisation
    from bank_backend.authorisations.openings import Opened

Links = dict[str, object]


def opened_links(path: str, opened: Opened, *, segment: str, front_url: str) -> Links:
    """Return the `_links` of a resource that was made: how its authorisation goes on, or how to start it."""
    links: Links = {"self": link(path), "status": link(f"{path}/status")}
    if opened.authorisation is None:
        return links | {relation: link(f"{path}/{segment}") for relation in _starts(opened)}
    return links | started_links(path, opened, opened.authorisation, segment=segment, front_url=front_url)


def started_links(path: str, opened: Opened, started: Authorisation, *, segment: str, front_url: str) -> Links:
    """Return the `_links` of an authorisation that has just been started."""
    own = f"{path}/{segment}/{started.id}"
    links = redirect_links(opened, started, front_url=front_url)
    if links and opened.is_confirmed:
        links["confirmation"] = link(own)
    return links | {relation: link(own) for relation in next_steps(started)} | {"scaStatus": link(own)}


def redirect_links(opened: Opened, started: Authorisation, *, front_url: str) -> Links:
    """Return where to send the PSU's browser: by OAuth, or straight to the bank where there is a way back (§4.10)."""
    if started.approach not in REDIRECTS:
        return {}
    links: Links = {}
    if ScaApproach.OAUTH in opened.offered:
        links["scaOAuth"] = link(discovery_url(front_url))
    if ScaApproach.REDIRECT in opened.offered and started.return_url is not None:
        links["scaRedirect"] = link(redirect_url(front_url, started))
    return links


def next_steps(authorisation: Authorisation) -> tuple[str, ...]:
    """Return what the TPP has to send next, by the names of the links that lead there."""
    if not authorisation.is_open or authorisation.approach in REDIRECTS:
        return ()
    if authorisation.approach is ScaApproach.DECOUPLED:
        return ("updatePsuIdentification",) if authorisation.psu is None else ()
    return _EMBEDDED[authorisation.status]


_EMBEDDED = {
    # The PSU-ID may come with the password.
    ScaStatus.RECEIVED: ("updatePsuIdentification", "updatePsuAuthentication"),
    ScaStatus.PSU_IDENTIFIED: ("updatePsuAuthentication",),
    ScaStatus.PSU_AUTHENTICATED: ("selectAuthenticationMethod",),
    ScaStatus.SCA_METHOD_SELECTED: ("authoriseTransaction",),
    ScaStatus.STARTED: ("authoriseTransaction",),
    ScaStatus.UNCONFIRMED: (),
}


def _starts(opened: Opened) -> tuple[str, ...]:
    """Return the relations by which an authorisation can be started; credentials are told as soon as they are wanted."""
    is_known = opened.opening.psu is not None
    if opened.approach is ScaApproach.EMBEDDED:
        identified = () if is_known else ("startAuthorisationWithPsuIdentification",)
        return (*identified, "startAuthorisationWithPsuAuthentication")
    if opened.approach is ScaApproach.DECOUPLED and not is_known:
        return ("startAuthorisationWithPsuIdentification",)
    return ("startAuthorisation",)


def discovery_url(front_url: str) -> str:
    """Return the address of the authorization server's metadata, which `scaOAuth` names (BG IG §4.15, RFC 8414 §3)."""
    return f"{front_url}/.well-known/oauth-authorization-server"


def redirect_url(front_url: str, authorisation: Authorisation) -> str:
    """Return the address that `scaRedirect` names: the bank's own page for one authorisation."""
    return f"{front_url}/psu/authorisations/{authorisation.id}"


def link(href: str) -> dict[str, str]:
    """Return an `hrefType`."""
    return {"href": href}
