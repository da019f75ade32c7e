"""`sandbox cert issue | renew | revoke | list | renewals | listener | explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from chassis.peers import PeerUnavailable
from sandbox.answers import PeerRefused
from sandbox.ca.errors import UnknownCertificate
from sandbox.ca.model import Fault, RevocationReason, TppCertificateKind
from sandbox.cli.explain import explain
from sandbox.cli.options import home_option, json_option, services_for
from sandbox.cli.terminal import print_json, print_table
from sandbox.tpps.documents import issued_document, record_document
from sandbox.tpps.folder import TppFolder

if TYPE_CHECKING:
    from sandbox.ca.model import CertificateRecord, IssuedCertificate
    from sandbox.ca.renewal import Renewal
    from sandbox.services import Services

_LARGEST_CSR_BYTES = 65_536
_kind_option = click.option(
    "--kind",
    type=click.Choice([each.value for each in TppCertificateKind]),
    default=TppCertificateKind.QWAC.value,
    show_default=True,
)
_csr_option = click.option(
    "--csr", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Signing request (PEM): the key stays yours."
)


@click.group()
def cert() -> None:
    """Issue, renew, revoke, list and explain certificates."""


cert.add_command(explain)


@cert.command()
@click.argument("name")
@_kind_option
@_csr_option
@click.option(
    "--fault",
    type=click.Choice([each.value for each in Fault]),
    help="Wrong in exactly this way; goes to faults/, not into use.",
)
@json_option
@home_option
def issue(*, name: str, kind: str, csr: Path | None, fault: str | None, as_json: bool, home: Path | None) -> None:
    """Issue a certificate to a TPP and put it in use; the one before goes aside and stays valid."""
    services = services_for(home)
    tpp = services.register.require(name)
    asked = Fault(fault) if fault else None
    issued = services.register.issue(tpp, TppCertificateKind(kind), csr=_read(csr), fault=asked)
    folder = TppFolder(services.settings.home, tpp.name)
    path = folder.write_certificate(issued) if asked is None else folder.write_faulty(issued)
    if asked is Fault.REVOKED:
        _deliver(services)
    _report(issued, path, as_json=as_json)


@cert.command()
@click.argument("name")
@_kind_option
@_csr_option
@json_option
@home_option
def renew(*, name: str, kind: str, csr: Path | None, as_json: bool, home: Path | None) -> None:
    """Issue the successor of the certificate in use, with a new key; the old pair becomes KIND.previous.{crt,key}."""
    services = services_for(home)
    tpp = services.register.require(name)
    folder = TppFolder(services.settings.home, tpp.name)
    issued = services.register.renew(tpp, _serial_in_use(folder, TppCertificateKind(kind)), csr=_read(csr))
    _report(issued, folder.write_certificate(issued), as_json=as_json)


@cert.command()
@click.argument("name", required=False)
@_kind_option
@click.option("--serial", help="Any certificate by its serial number, in hex, instead of NAME's in use.")
@click.option(
    "--reason",
    type=click.Choice([each.value for each in RevocationReason]),
    default=RevocationReason.UNSPECIFIED.value,
    show_default=True,
)
@json_option
@home_option
def revoke(*, name: str | None, kind: str, serial: str | None, reason: str, as_json: bool, home: Path | None) -> None:
    """Revoke a certificate; the gateway refuses it within a second, on open connections too."""
    if (name is None) == (serial is None):
        raise click.UsageError("name a TPP (its certificate in use) or a --serial, one of the two")
    services = services_for(home)
    if serial is None:
        tpp = services.register.require(str(name))
        serial = _serial_in_use(TppFolder(services.settings.home, tpp.name), TppCertificateKind(kind))
    record = services.authority.revoke(serial, RevocationReason(reason))
    delivered = _deliver(services)
    if as_json:
        print_json({**record_document(record), "delivered": delivered})
    else:
        click.echo(f"revoked {record.serial} ({record.subject}), reason {reason}")


@cert.command()
@click.argument("name")
@json_option
@home_option
def listener(*, name: str, as_json: bool, home: Path | None) -> None:
    """Make what a server of the TPP's own on this machine presents: listener.crt, for https://localhost, and its key.

    The bank calls such a server to ping a client (CIBA), or to fetch its keys (jwks_uri). Run again, it renews what is due.
    """
    services = services_for(home)
    paths = TppFolder(services.settings.home, services.register.require(name).name).listener
    made = services.authority.ensure_listener(paths)
    if as_json:
        print_json({"file": str(paths.certificate), "not_after": made.not_valid_after_utc.isoformat()})
        return
    click.echo(f"valid until {made.not_valid_after_utc:%Y-%m-%d %H:%M} UTC: {paths.certificate}")
    click.echo("the bank calls addresses inside where they are named: GATEWAY_INTERNAL_CLIENT_HOSTS=localhost:PORT sandbox up")


@cert.command(name="list")
@click.argument("name", required=False)
@json_option
@home_option
def list_(*, name: str | None, as_json: bool, home: Path | None) -> None:
    """List certificates, newest first: a TPP's, or all."""
    services = services_for(home)
    if name is None:
        records = services.authority.certificates()
    else:
        records = list(services.register.certificates(services.register.require(name)))
    if as_json:
        print_json([record_document(record) for record in records])
    else:
        columns = ("serial", "kind", "tpp", "valid until", "status")
        print_table("", columns, [_row(record, services) for record in records])


@cert.command()
@json_option
@home_option
def renewals(*, as_json: bool, home: Path | None) -> None:
    """List the platform's own certificates with the moment that each is renewed at, the first first."""
    services = services_for(home)
    listed = sorted(services.authority.renewals(), key=lambda each: each.due_at)
    if as_json:
        print_json([_renewal_document(each, services.settings.home.path) for each in listed])
    else:
        columns = ("certificate", "renewed at", "valid until", "by the rule")
        print_table("", columns, [_renewal_row(each, services.settings.home.path) for each in listed])


def _renewal_document(renewal: Renewal, home: Path) -> dict[str, object]:
    return {
        "certificate": str(renewal.path.relative_to(home)),
        "profile": renewal.profile.name.value,
        "renewed_at": renewal.due_at.isoformat(),
        "not_after": renewal.certificate.not_valid_after_utc.isoformat(),
        "before_days": renewal.profile.renew_days,
        "every_days": renewal.profile.renew_every_days,
    }


def _renewal_row(renewal: Renewal, home: Path) -> tuple[str, ...]:
    rule, end = renewal.profile, renewal.certificate.not_valid_after_utc
    every = f", every {rule.renew_every_days}" if rule.renew_every_days is not None else ""
    words = f"{rule.renew_days} days before its end{every}"
    return str(renewal.path.relative_to(home)), f"{renewal.due_at:%Y-%m-%d %H:%M}", f"{end:%Y-%m-%d}", words


def _row(record: CertificateRecord, services: Services) -> tuple[str, ...]:
    status = record.status.value if record.not_after > services.clock.now() else "expired"
    notes = [note for note in (record.reason, f"fault: {record.fault}" if record.fault else None) if note]
    detail = f"{status} ({', '.join(notes)})" if notes else status
    return record.serial, record.profile, record.tpp or "-", f"{record.not_after:%Y-%m-%d %H:%M}", detail


def _serial_in_use(folder: TppFolder, kind: TppCertificateKind) -> str:
    serial = folder.serial(kind)
    if serial is None:
        raise UnknownCertificate(f"{folder.path / kind}.crt holds no certificate: `sandbox cert issue` makes one")
    return serial


def _read(csr: Path | None) -> bytes | None:
    if csr is None:
        return None
    with csr.open("rb") as file:
        return file.read(_LARGEST_CSR_BYTES)


def _deliver(services: Services) -> bool:
    try:
        services.trust.deliver_changes()
    except (PeerUnavailable, PeerRefused) as error:
        click.echo(
            f"the revocation is recorded and published; the gateway has not taken it yet ({error}). "
            "The portal delivers it as soon as the gateway answers",
            err=True,
        )
        return False
    return True


def _report(issued: IssuedCertificate, path: Path, *, as_json: bool) -> None:
    if as_json:
        # The key is in its file; standard output ends up in logs.
        document = {name: value for name, value in issued_document(issued).items() if name != "private_key"}
        print_json({**document, "file": str(path)})
        return
    click.echo(f"issued {issued.serial}, valid until {issued.not_after:%Y-%m-%d %H:%M} UTC: {path}")
    for note in issued.notes:
        click.echo(f"  note: {note}")
