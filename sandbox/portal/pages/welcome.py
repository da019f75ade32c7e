"""The welcome page, on plain HTTP: what to trust, what stands where; and the disclosure statement that certificates name."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from flask import Blueprint, render_template

from sandbox.portal.listeners import PublicListener, require_listener

if TYPE_CHECKING:
    from sandbox.services import Services
    from sandbox.tpps.client_data import PublicAddresses

_AUTHORITIES = ("root", "tpp-issuing", "server-issuing")
_BYTES_A_LINE = 48  # sixteen bytes, breaks between bytes


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
        AddressRow(addresses.demo, "browsers", "Kontoblick, a demo app: connect, look, pay", "server certificate"),
    ]


def blueprint(services: Services) -> Blueprint:
    """Return the disclosure statement; the welcome page itself is the first page of its listener (`home`)."""
    pages = Blueprint("welcome", __name__)
    pages.before_request(require_listener(PublicListener.WELCOME, PublicListener.PORTAL))

    def disclosure() -> str:
        return render_template("welcome/disclosure.html", addresses=services.addresses)

    pages.add_url_rule("/pki/disclosure", view_func=disclosure)
    return pages


def welcome_page(services: Services) -> str:
    """Return the page that tells whom to trust, and where to go."""
    root = x509.load_der_x509_certificate(services.authority.ca_certificate("root"))
    return render_template(
        "welcome/welcome.html",
        addresses=services.addresses,
        rows=address_rows(services.addresses),
        fingerprint=textwrap.wrap(root.fingerprint(hashes.SHA256()).hex(":").upper(), _BYTES_A_LINE),
        subject=root.subject.rfc4514_string(),
        expires=root.not_valid_after_utc,
        authorities=_AUTHORITIES,
    )
