"""Pages for people: the welcome page on plain HTTP, the portal's first page, the PKI disclosure statement."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from flask import Blueprint, render_template

from sandbox.portal.listeners import PublicListener, current_listener, require_listener

if TYPE_CHECKING:
    from sandbox.bootstrap import Services
    from sandbox.tpps.client_data import PublicAddresses

_AUTHORITIES = ("root", "tpp-issuing", "server-issuing")


@dataclass(frozen=True, slots=True)
class AddressRow:
    """One line of the table of addresses."""

    url: str
    who: str
    what: str
    tls: str


def address_rows(addresses: PublicAddresses) -> list[AddressRow]:
    """Return the public addresses, in the order in which one needs them."""
    return [
        AddressRow(addresses.welcome, "anybody", "root certificate, revocation lists, OCSP", "none"),
        AddressRow(addresses.portal, "browsers", "this portal and the registration API", "server certificate"),
        AddressRow(addresses.front, "browsers", "authorization, discovery, the bank's pages", "server certificate"),
        AddressRow(addresses.edge, "TPPs", "tokens and accounts, payments, funds confirmation", "mutual, with your QWAC"),
    ]


def pages(services: Services) -> Blueprint:
    """Return the pages."""
    blueprint = Blueprint("pages", __name__)
    blueprint.before_request(require_listener(PublicListener.WELCOME, PublicListener.PORTAL))
    views = _Pages(services)
    blueprint.add_url_rule("/", view_func=views.home)
    blueprint.add_url_rule("/pki/disclosure", view_func=views.disclosure)
    return blueprint


class _Pages:
    def __init__(self, services: Services) -> None:
        self._services = services

    def home(self) -> str:
        return self._welcome() if current_listener() is PublicListener.WELCOME else self._portal()

    def disclosure(self) -> str:
        return render_template("disclosure.html", addresses=self._services.addresses)

    def _welcome(self) -> str:
        root = x509.load_der_x509_certificate(self._services.authority.ca_certificate("root"))
        return render_template(
            "welcome.html",
            addresses=self._services.addresses,
            rows=address_rows(self._services.addresses),
            fingerprint=_groups(root.fingerprint(hashes.SHA256()).hex(":").upper()),
            subject=root.subject.rfc4514_string(),
            expires=root.not_valid_after_utc,
            authorities=_AUTHORITIES,
        )

    def _portal(self) -> str:
        addresses = self._services.addresses
        return render_template("portal.html", addresses=addresses, rows=address_rows(addresses))


def _groups(fingerprint: str) -> list[str]:
    return textwrap.wrap(fingerprint, 48)  # sixteen bytes a line, breaks between bytes
