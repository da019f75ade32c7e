"""A firm comes in: its number, its certificates, its people."""

from __future__ import annotations

import secrets
import stat
from typing import TYPE_CHECKING, Any

from behave import then, when

from features.platforms import CommandFailed
from features.register import ALL_ROLES, fresh_number
from psd2.certificates import CertificateKind, parse_certificate
from psd2.roles import parse_roles
from tpp_client.sandbox_api import data_request, process_data_response

if TYPE_CHECKING:
    from features.register import Register
    from features.tpps import Tpp


@when("an {roles} registers")
def step(context: Any, roles: str) -> None:
    register: Register = context.register
    context.number, name = fresh_number(), f"tpp-{secrets.token_hex(4)}"
    register.register(name, context.number, roles.replace(" and ", ","))
    context.tpp = register.opened(name)


@then("its website certificate and its seal certificate carry its authorisation number")
def step(context: Any) -> None:
    identity = context.tpp.identity
    pairs = ((identity.qwac, CertificateKind.QWAC), (identity.qseal, CertificateKind.QSEAL))
    context.certificates = []
    for credential, kind in pairs:
        certificate = parse_certificate(credential.certificate.read_bytes())
        assert (certificate.kind, certificate.authorisation_number) == (kind, context.number)
        context.certificates.append(certificate)


@then("they grant the roles {roles}, by the authority {authority}")
def step(context: Any, roles: str, authority: str) -> None:
    for certificate in context.certificates:
        assert certificate.roles == parse_roles(roles.replace(" and ", ","))
        assert certificate.nca_id == f"DE-{authority.upper()}"


@then("its private keys are for its own eyes")
def step(context: Any) -> None:
    for credential in (context.tpp.identity.qwac, context.tpp.identity.qseal):
        assert stat.S_IMODE(credential.key.stat().st_mode) == 0o600


@then("people bank there, with accounts")
def step(context: Any) -> None:
    people = process_data_response(data_request(context.tpp.xs2a))
    assert len(people) >= 5, f"only {len(people)} people"
    assert any(len(person.accounts) > 1 for person in people)


@when("a firm registers with the number {number}")
def step(context: Any, number: str) -> None:
    context.complaint = _complaint(context.register, number)


@when("another firm registers with its number")
def step(context: Any) -> None:
    context.complaint = _complaint(context.register, context.tpp.identity.authorisation_number)


@then("it is told that {complaint}")
def step(context: Any, complaint: str) -> None:
    expected = context.tpp.identity.authorisation_number if complaint == "the number is taken" else complaint
    assert expected in context.complaint, context.complaint


@when("each asks who banks there")
def step(context: Any) -> None:
    context.ibans = [_ibans(context.tpp), _ibans(context.other)]


@then("no account of the one is an account of the other")
def step(context: Any) -> None:
    one, other = context.ibans
    assert one, "the first firm's bank is empty"
    assert other, "the second firm's bank is empty"
    assert not one & other, f"{len(one & other)} accounts are the same"


def _complaint(register: Register, number: str) -> str:
    try:
        register.register(f"tpp-{secrets.token_hex(4)}", number, ALL_ROLES)
    except CommandFailed as failure:
        return str(failure)
    raise AssertionError(f"a firm was registered with the number {number}")


def _ibans(tpp: Tpp) -> set[str]:
    personas = process_data_response(data_request(tpp.xs2a))
    return {account.iban for persona in personas for account in persona.accounts}
