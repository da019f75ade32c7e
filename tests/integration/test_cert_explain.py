"""`sandbox cert explain` in a home with authorities and a database: what this sandbox knows of a certificate is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from psd2.authorisation_number import AuthorisationNumber
from sandbox.bootstrap import build_services
from sandbox.ca.model import Fault, TppCertificateKind
from sandbox.cli.root import main
from sandbox.config import load_settings
from sandbox.database import open_sandbox_engine
from sandbox.doctor.store import SqlArchive
from sandbox.tpps.model import Profile, Tpp, TppStatus
from sandbox.tpps.store import SqlTppStore
from sandbox.tpps.subjects import subject_of
from tests.support.doctor import PSD2
from tests.support.register import ROOMY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.services import Services
    from tests.support.databases import Databases

QWAC, QSEAL = TppCertificateKind.QWAC, TppCertificateKind.QSEAL
ACME = Tpp(
    authorisation_number=AuthorisationNumber.parse("PSDDE-BAFIN-100042"),
    name="acme",
    organisation="Acme Payments GmbH",
    roles=PSD2.roles,
    redirect_uris=("https://acme.example/callback",),
    profile=Profile.BERLIN,
    client_id="PSDDE-BAFIN-100042",
    seed=None,
    status=TppStatus.ACTIVE,
    created_at=0.0,
)


@pytest.fixture(scope="module")
def services(module_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Lend a home as `sandbox up` and `sandbox tpp register` leave it, but for the servers."""
    with pytest.MonkeyPatch.context() as environment, module_databases.opened("sandbox") as engine:
        environment.setenv("SANDBOX_DATABASE_URL", engine.url.render_as_string(hide_password=False))
        SqlTppStore(engine).add(ACME, limits=ROOMY)
        built = build_services(load_settings(home=tmp_path_factory.mktemp("home")))
        built.authority.ensure_hierarchy()
        yield built


def explained(services: Services, capsys: pytest.CaptureFixture[str], pem: str) -> tuple[int, dict[str, object]]:
    home: Path = services.settings.home.path
    (home / "some.crt").write_text(pem)
    with pytest.raises(SystemExit) as ending:
        main(["cert", "explain", str(home / "some.crt"), "--home", str(home), "--json"])
    return int(ending.value.code or 0), json.loads(capsys.readouterr().out)


def issued(services: Services, kind: TppCertificateKind = QWAC, fault: Fault | None = None) -> str:
    return services.authority.issue_tpp_certificate(tpp=subject_of(ACME), kind=kind, fault=fault).bundle


@pytest.mark.parametrize(("kind", "outcome"), [(QWAC, "accepted"), (QSEAL, "sound-qseal")])
def test_what_the_sandbox_issues_is_good(
    services: Services, capsys: pytest.CaptureFixture[str], kind: TppCertificateKind, outcome: str
) -> None:
    """Nothing is found at all but that a seal is one."""
    status, document = explained(services, capsys, issued(services, kind))

    assert (status, document["outcome"], document["unchecked"]) == (0, outcome, ["gateway_state"])
    assert [each["code"] for each in document["findings"]] == ([] if kind is QWAC else ["qc.seal"])  # type: ignore[attr-defined]


def test_a_revoked_certificate_is_told_from_the_record(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    """When and why, and whom it was issued to."""
    certificate = services.authority.issue_tpp_certificate(tpp=subject_of(ACME), kind=QWAC)
    services.authority.revoke(certificate.serial, "keyCompromise")

    status, document = explained(services, capsys, certificate.bundle)

    assert (status, document["refusal"]) == (1, {"status": 401, "code": "CERTIFICATE_REVOKED", "reason": "mtls.revoked"})
    record = document["fields"]["sandbox's record"]  # type: ignore[index]
    assert record["values"][0].startswith("revoked at ")
    assert record["values"][0].endswith("reason keyCompromise")
    assert record["meaning"].endswith("to acme")


def test_a_short_name_in_place_of_the_number_is_nobodys(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    """The register is asked for a number, and finds TPPs by their short names as well."""
    status, document = explained(services, capsys, issued(services, fault=Fault.WRONG_NAME))
    assert (status, document["refusal"]["reason"]) == (1, "tpp.unknown")  # type: ignore[index]

    archive = SqlArchive(open_sandbox_engine(services.settings.database_url))
    assert archive.tpp("acme") is None
    assert archive.tpp("PSDDE-BAFIN-100042") == ACME


@pytest.mark.parametrize("fault", [Fault.EXPIRED, Fault.FLAT_ENCODED])
def test_a_test_certificate_is_said_to_be_one(services: Services, capsys: pytest.CaptureFixture[str], fault: Fault) -> None:
    _, document = explained(services, capsys, issued(services, fault=fault))

    notes = [each["text"] for each in document["findings"] if each["level"] == "note"]  # type: ignore[attr-defined]
    assert notes == [f"it is a test certificate, issued here with the fault {fault}"]
