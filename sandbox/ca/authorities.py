"""The authorities' certificates and keys as they lie in `certs/ca`, loaded when first needed and again when they change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from sandbox.ca.errors import HierarchyDamaged, UnknownAuthority
from sandbox.ca.issuance import Issuer
from sandbox.ca.keys import UnreadableKey, load_private_key, public_der
from sandbox.ca.profiles import AuthorityName

if TYPE_CHECKING:
    from pathlib import Path

    from chassis.home import Home, KeyPairPaths
    from sandbox.ca.keys import PrivateKey

_MAX_FILE_BYTES = 65_536
START_ANEW = "restore it from a backup, or delete the folder certs/ and let `sandbox up` make everything anew"


class Unusable(Exception):
    """A pair of files that cannot be used; the message names the file and says why."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and the private key that belongs to it."""

    certificate: x509.Certificate
    key: PrivateKey


def load_pair(paths: KeyPairPaths) -> KeyPair:
    """Read both files. Raises Unusable: missing, unreadable, or not belonging together."""
    certificate = load_certificate(paths.certificate)
    try:
        key = load_private_key(_read(paths.key))
    except UnreadableKey as error:
        raise Unusable(f"{paths.key}: {error}") from error
    if public_der(key.public_key()) != public_der(certificate.public_key()):
        raise Unusable(f"{paths.key}: is not the key of {paths.certificate}")
    return KeyPair(certificate=certificate, key=key)


def load_certificate(path: Path) -> x509.Certificate:
    """Read the first certificate of a PEM file. Raises Unusable."""
    try:
        return x509.load_pem_x509_certificate(_read(path))
    except ValueError as error:
        raise Unusable(f"{path}: holds no certificate in PEM") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise Unusable(f"{path}: is missing") from error
    except OSError as error:
        raise Unusable(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > _MAX_FILE_BYTES:
        raise Unusable(f"{path}: larger than {_MAX_FILE_BYTES} bytes")
    return data


class Authorities:
    """Lends the authorities of a home; a file that was replaced is noticed at the next use."""

    def __init__(self, home: Home) -> None:
        """Read from `home`, but not before something is asked for."""
        self._home = home
        self._loaded: dict[AuthorityName, tuple[int, Issuer]] = {}

    def issuer(self, name: AuthorityName) -> Issuer:
        """Return the authority with its key. Raises HierarchyDamaged."""
        paths = self._home.ca(name)
        try:
            changed = paths.certificate.stat().st_mtime_ns
        except OSError as error:
            raise HierarchyDamaged(f"{paths.certificate}: cannot be read: {error.strerror}; {START_ANEW}") from error
        held = self._loaded.get(name)
        if held is None or held[0] != changed:
            held = (changed, _issuer(name, paths))
            self._loaded[name] = held
        return held[1]

    def certificate(self, name: AuthorityName) -> x509.Certificate:
        """Return the authority's certificate. Raises HierarchyDamaged."""
        certificate = self.issuer(name).certificate
        if certificate is None:
            raise HierarchyDamaged(f"{name}: has no certificate; {START_ANEW}")
        return certificate


def _issuer(name: AuthorityName, paths: KeyPairPaths) -> Issuer:
    try:
        pair = load_pair(paths)
    except Unusable as error:
        raise HierarchyDamaged(f"{error}; {START_ANEW}") from error
    return Issuer(ca=name, subject=pair.certificate.subject, key=pair.key, certificate=pair.certificate)


def published_certificates(home: Home) -> dict[AuthorityName, x509.Certificate] | None:
    """Return the authorities' certificates without touching a key, None where nothing was made yet. Raises HierarchyDamaged."""
    paths = {name: home.ca(name).certificate for name in AuthorityName}
    if not paths[AuthorityName.TPP_ISSUING].exists():
        return None
    try:
        return {name: load_certificate(path) for name, path in paths.items() if path.exists()}
    except Unusable as error:
        raise HierarchyDamaged(f"{error}; {START_ANEW}") from error


def authority_name(text: str) -> AuthorityName:
    """Read an authority's name. Raises UnknownAuthority."""
    try:
        return AuthorityName(text)
    except ValueError as error:
        raise UnknownAuthority(f"{text[:64]!r} is no certificate authority here: {', '.join(AuthorityName)}") from error
