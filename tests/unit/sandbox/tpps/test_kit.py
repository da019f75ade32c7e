"""What is handed over: the command that makes a right request, and the .zip to unpack."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from sandbox.ca.csr import read_csr
from sandbox.ca.model import TppCertificateKind
from sandbox.tpps.openssl import signing_request_command
from sandbox.tpps.subjects import subject_of
from tests.support.certificate_authority import profiles
from tests.support.register import RegisterWorld, registration

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("organisation", ["Acme Payments GmbH", 'O\'Hara/Söhne + Co = \\ $(reboot) "x" `id`', "Ελλάδα"])
def test_the_command_makes_a_request_that_says_what_the_register_says(tmp_path: Path, organisation: str) -> None:
    """Whatever the firm is called: nothing of it is taken for the shell's or for OpenSSL's."""
    tpp = replace(RegisterWorld().register.register_new(registration()).tpp, organisation=organisation)

    command = signing_request_command(tpp, TppCertificateKind.QWAC)
    subprocess.run(command, check=True, shell=True, cwd=tmp_path, capture_output=True, timeout=30)  # noqa: S602 - to be pasted

    request = read_csr((tmp_path / "qwac.csr").read_bytes(), profiles().csr)
    subject, name = subject_of(tpp), x509.oid.NameOID
    assert request.subject is not None
    assert {attribute.oid: attribute.value for attribute in request.subject} == {
        name.COUNTRY_NAME: "DE",
        name.ORGANIZATION_NAME: organisation,
        name.ORGANIZATION_IDENTIFIER: subject.authorisation_number,
        name.COMMON_NAME: subject.domain,
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["qwac.csr", "qwac.key"]
    assert (tmp_path / "qwac.key").stat().st_mode & 0o077 == 0
