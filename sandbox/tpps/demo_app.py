"""The TPP of the demo app, `tpp_client/web`: the platform registers it by itself, as anybody else would be registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.tpps.client_data import client_data
from sandbox.tpps.client_key import with_own_key
from sandbox.tpps.errors import UnknownTpp
from sandbox.tpps.folder import TppFolder
from sandbox.tpps.model import Amendment, ClientAmendment, Profile
from sandbox.tpps.parsing import parse_registration

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.services import Services
    from sandbox.tpps.model import RegistrationRequest, Tpp

NAME: Final = "kontoblick"
NUMBER: Final = "PSDDE-BAFIN-844600"


def demo_app_registration(redirect_uri: str, profile: Profile, folder: Path) -> RegistrationRequest:
    """Return what the demo app is registered as; a client of FAPI 2.0 authenticates by a key in its folder, made here."""
    signs = {} if profile is Profile.BERLIN else {"token_endpoint_auth_method": "private_key_jwt"}
    return parse_registration(
        {
            "name": NAME,
            "organisation": "Kontoblick",
            "authorisation_number": NUMBER,
            "roles": ["AISP", "PISP", "CBPII"],
            "redirect_uris": [redirect_uri],
            "profile": profile.value,
            "client_metadata": with_own_key(signs, profile, folder),
        }
    )


def ensure_demo_app(services: Services) -> Tpp:
    """Register it, or put right what has changed since: another address, a certificate that ends soon or is gone.

    May be run at each start. Raises `RegisterError`, `PeerRefused`, `OSError`.
    """
    folder = TppFolder(services.settings.home, NAME)
    request = demo_app_registration(f"{services.addresses.demo}/callback", services.settings.demo_profile, folder.path)
    _follow(services, request)
    # Renewed as early as TPPs are told to, so that an app that is up for weeks does not lose its own.
    soon = services.clock.now() + services.authority.tpp_renewal_lead
    holdings = folder.holdings(services.authority.certificates(NAME), now=soon)
    registered = services.register.ensure_registered(request, holdings=holdings)
    for issued in registered.certificates.values():
        folder.write_certificate(issued)
    folder.write_client(client_data(registered.tpp, services.addresses), registered.access_token)
    return registered.tpp


def _follow(services: Services, request: RegistrationRequest) -> None:
    """Bring it up to date: the platform may answer under another name or port now, or its operator want another profile."""
    try:
        standing = services.register.require(NUMBER)
    except UnknownTpp:
        return
    if standing.name != NAME:
        return
    if standing.redirect_uris != request.redirect_uris:
        amendment = Amendment(organisation=standing.organisation, redirect_uris=request.redirect_uris)
        services.register.ownership.amend(standing, amendment)
    if (standing.profile, standing.client_metadata) != (request.profile, request.client_metadata):
        change = ClientAmendment(profile=request.profile, client_metadata=request.client_metadata)
        services.register.ownership.amend_client(standing, change)
