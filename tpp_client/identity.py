"""A TPP's own files: who it is, its certificates and keys, and where its bank answers (`certs/tpps/NAME/`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psd2.certificates import MalformedCertificate, Psd2Certificate, parse_certificate
from tpp_client.client import ClientTraits, read_traits
from tpp_client.documents import Document
from tpp_client.errors import IdentityUnusable, UnexpectedResponse

if TYPE_CHECKING:
    from pathlib import Path

    from psd2.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A certificate (leaf and issuing CA, PEM) and its private key, as files: a key is never read into memory here."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TppIdentity:
    """What a TPP knows about itself. `edge` is the bank's address for TPPs, `issuer` its authorization server."""

    name: str
    folder: Path
    client_id: str
    issuer: str
    authorisation_number: str
    redirect_uris: tuple[str, ...]
    cafile: Path
    edge: str
    qwac: Credential
    qseal: Credential
    certificate: Psd2Certificate
    client: ClientTraits = field(default_factory=ClientTraits)

    @property
    def client_key(self) -> Path:
        """The key with which its client signs, where it has to."""
        return self.folder / "client.key"

    @property
    def client_certificate(self) -> Credential:
        """The certificate of its own making by which its client authenticates, where it does so."""
        return _credential(self.folder, "client")

    @property
    def dpop_key(self) -> Path:
        """The key that its tokens are bound to, where they are bound to one."""
        return self.folder / "dpop.key"

    @property
    def listener(self) -> Credential:
        """What a server of its own on this machine presents, where the bank calls it."""
        return _credential(self.folder, "listener")

    def faulty(self, fault: str) -> Credential | None:
        """Return the faulty certificate of that name if the register has issued one, such as `expired`."""
        credential = _credential(self.folder / "faults", fault)
        return credential if credential.certificate.is_file() and credential.key.is_file() else None


def load_identity(folder: Path, *, clock: Clock) -> TppIdentity:
    """Read `client.json` and the certificates beside it; raises `IdentityUnusable` and says what would be right."""
    client = _client_document(folder)
    qwac = _credential(folder, "qwac")
    certificate = _parsed(qwac)
    _require_current(certificate, folder, clock)
    try:
        return _identity(folder, client, qwac, certificate)
    except UnexpectedResponse as error:
        raise IdentityUnusable(str(error)) from error


def _identity(folder: Path, client: Document, qwac: Credential, certificate: Psd2Certificate) -> TppIdentity:
    cafile = folder / client.text("cafile")  # an absolute path stands for itself
    _require_file(cafile, "the bundle of certificates that this TPP trusts")
    return TppIdentity(
        name=folder.name,
        folder=folder,
        client_id=client.text("client_id"),
        issuer=client.text("issuer"),
        authorisation_number=client.text("authorisation_number"),
        redirect_uris=client.texts("redirect_uris"),
        cafile=cafile,
        edge=client.child("endpoints").text("edge").rstrip("/"),
        qwac=qwac,
        qseal=_credential(folder, "qseal"),
        certificate=certificate,
        client=read_traits(client),
    )


def _client_document(folder: Path) -> Document:
    path = folder / "client.json"
    if not folder.is_dir():
        registered = ", ".join(sorted(entry.name for entry in folder.parent.glob("*/") if (entry / "client.json").is_file()))
        msg = f"no TPP {folder.name!r} in {folder.parent}; registered there: {registered or 'none'}. {_how_to_register(folder)}"
        raise IdentityUnusable(msg)
    _require_file(path, "what this TPP knows about itself")
    try:
        return Document.parse(path.read_bytes(), str(path))
    except UnexpectedResponse as error:
        raise IdentityUnusable(str(error)) from error


def _parsed(credential: Credential) -> Psd2Certificate:
    _require_file(credential.certificate, "this TPP's QWAC")
    _require_file(credential.key, "the private key of this TPP's QWAC")
    try:
        return parse_certificate(credential.certificate.read_bytes())
    except MalformedCertificate as error:
        msg = f"{credential.certificate} can't be read as a certificate: {error}"
        raise IdentityUnusable(msg) from error


def _require_current(certificate: Psd2Certificate, folder: Path, clock: Clock) -> None:
    now, first, last = clock.now(), certificate.not_before, certificate.not_after
    if now > last:
        msg = f"the QWAC of {folder.name} expired on {last:%Y-%m-%d}: `sandbox cert renew {folder.name}` makes a new one"
        raise IdentityUnusable(msg)
    if now < first:
        msg = f"the QWAC of {folder.name} is not valid before {first:%Y-%m-%d %H:%M} UTC: is this machine's clock right?"
        raise IdentityUnusable(msg)


def _credential(folder: Path, stem: str) -> Credential:
    return Credential(certificate=folder / f"{stem}.crt", key=folder / f"{stem}.key")


def _require_file(path: Path, what: str) -> None:
    if not path.is_file():
        msg = f"{path} is missing: it holds {what}. {_how_to_register(path.parent)}"
        raise IdentityUnusable(msg)


def _how_to_register(folder: Path) -> str:
    return f"`sandbox tpp register {folder.name} …` makes it"
