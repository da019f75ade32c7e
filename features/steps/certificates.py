"""Reading over all kinds of certificates, and what happens to a certificate in its life."""

from __future__ import annotations

import dataclasses
import ssl
import time
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import requests
from behave import given, then, when
from cryptography import x509

from features.refusals import require_refused
from tpp_client.accounts import accounts_request, process_accounts_response
from tpp_client.attacks.certificates import spoofed_headers
from tpp_client.attacks.forgery import forge_foreign, forge_self_signed
from tpp_client.consents import ConsentDraft, consent_request, process_consent_response
from tpp_client.refusals import refusal_of
from tpp_client.transport import MutualTlsTransport
from tpp_client.wire import HttpRequest

if TYPE_CHECKING:
    from features.platforms import Platform
    from features.tpps import Tpp
    from tpp_client.identity import Credential
    from tpp_client.wire import HttpResponse

_FORGERIES = {"that signs itself": forge_self_signed, "from a foreign CA": forge_foreign}
_TLS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
# What is promised; `behave -D second=5` allows more on a machine that is busy with other work.
_SECOND = 1.0
_FETCH_SECONDS = 5.0
_NO_PROXIES = {"http": "", "https": ""}


def _faulty(context: Any, fault: str) -> Credential:
    """Have the authority issue a certificate with that fault."""
    tpp: Tpp = context.tpp
    platform: Platform = context.platform
    if tpp.identity.faulty(fault) is None:
        platform.sandbox("cert", "issue", tpp.name, "--kind", "qwac", "--fault", fault)
    credential = tpp.identity.faulty(fault)
    assert credential is not None, f"no certificate with the fault {fault} was written"
    return credential


@when("it reads the accounts")
def step(context: Any) -> None:
    context.answer = context.tpp.read_accounts(context.grant)


@when("somebody presents its access token without a certificate")
def step(context: Any) -> None:
    context.answer = context.tpp.read_accounts_over(None, context.grant)


@when("it reads the accounts with a copy of its certificate {how}")
def step(context: Any, how: str) -> None:
    with TemporaryDirectory() as folder:
        forged = _FORGERIES[how](context.tpp.identity.certificate, Path(folder))
        context.answer = context.tpp.read_accounts_over(forged, context.grant)


@when("it reads the accounts with its seal certificate")
def step(context: Any) -> None:
    context.answer = context.tpp.read_accounts_over(context.tpp.identity.qseal, context.grant)


@when("it reads the accounts with a {fault:S} certificate")
@when("it reads the accounts with an {fault:S} certificate")
def step(context: Any, fault: str) -> None:
    credential, deadline = _faulty(context, fault), time.monotonic() + _second(context)
    context.answer = context.tpp.read_accounts_over(credential, context.grant)
    # A revocation is in force within a second. Until then the certificate is a good one, and only the token is not its.
    while not _judged_by_its_certificate(context.answer) and time.monotonic() < deadline:
        context.answer = context.tpp.read_accounts_over(credential, context.grant)


def _second(context: Any) -> float:
    return float(context.config.userdata.get("second", _SECOND))


def _judged_by_its_certificate(answer: HttpResponse) -> bool:
    return answer.status != HTTPStatus.OK and refusal_of(answer).reason != "token.cnf_mismatch"


@when("it asks for a consent without a certificate")
def step(context: Any) -> None:
    _ask_for_consent(context, None)


@when("it asks for a consent with a {fault:S} certificate")
@when("it tries to ask for a consent with a {fault:S} certificate")
def step(context: Any, fault: str) -> None:
    _ask_for_consent(context, _faulty(context, fault))


def _ask_for_consent(context: Any, credential: Credential | None) -> None:
    tpp: Tpp = context.tpp
    with MutualTlsTransport(cafile=tpp.identity.cafile, credential=credential) as transport:
        draft = ConsentDraft(valid_until=tpp.identity.certificate.not_after.date())
        context.answer = consent_request(dataclasses.replace(tpp.xs2a, transport=tpp.recorded(transport)), draft)


@when("it reads the accounts without a certificate, but with its certificate in every header gateways have ever believed")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    headers = context.grant.access.headers | spoofed_headers(tpp.identity.certificate)
    request = HttpRequest(method="GET", url=f"{tpp.identity.edge}/v1/accounts", headers=headers)
    with MutualTlsTransport(cafile=tpp.identity.cafile, credential=None) as transport:
        context.answer = tpp.recorded(transport).send(request)


@when("it reads the accounts over TLS {version}, with and without its certificate")
def step(context: Any, version: str) -> None:
    tpp: Tpp = context.tpp
    context.answers = []
    for credential in (tpp.identity.qwac, None):
        with MutualTlsTransport(cafile=tpp.identity.cafile, credential=credential, tls=_TLS[version]) as transport:
            over = dataclasses.replace(tpp.xs2a, transport=tpp.recorded(transport))
            context.answers.append(accounts_request(over, context.grant.access))


@then("the one shows the accounts and the other says that {reason}")
def step(context: Any, reason: str) -> None:
    shown, refused = context.answers
    assert process_accounts_response(shown)
    require_refused(refused, reason)


@then("the bank takes the consent down")
def step(context: Any) -> None:
    assert process_consent_response(context.answer).status == "received"


@then("access is refused because {reason}")
@then("the request is refused because {reason}")
def step(context: Any, reason: str) -> None:
    require_refused(context.answer, reason)


@then("the refusal says what to do")
def step(context: Any) -> None:
    refusal = refusal_of(context.answer)
    assert refusal.hint, f"no hint in {refusal}"
    assert refusal.clause, f"no clause in {refusal}"


@given("the TPP has renewed its certificate")
def step(context: Any) -> None:
    context.platform.sandbox("cert", "renew", context.tpp.name)
    context.renewed = context.register.opened(context.tpp.name)
    assert context.renewed.identity.certificate.sha256 != context.tpp.identity.certificate.sha256


@given("the TPP reads the accounts over an open connection")
def step(context: Any) -> None:
    assert process_accounts_response(context.tpp.read_accounts(context.grant))


@when("its certificate is revoked")
def step(context: Any) -> None:
    context.platform.sandbox("cert", "revoke", context.tpp.name, "--reason", "keyCompromise")
    context.since = time.monotonic()


@when("the operator blocks it")
@given("the operator has blocked it")
def step(context: Any) -> None:
    context.platform.sandbox("tpp", "block", context.tpp.name)
    context.since = time.monotonic()


@when("the operator lets it in again")
def step(context: Any) -> None:
    context.platform.sandbox("tpp", "unblock", context.tpp.name)
    context.since = time.monotonic()


@then("within a second it sees the accounts of the consent")
def step(context: Any) -> None:
    while context.tpp.read_accounts(context.grant).status != HTTPStatus.OK:
        late = time.monotonic() - context.since
        assert late < _second(context), f"access was still refused after {late:.2f} s"


@then("the published list of revoked certificates names it")
def step(context: Any) -> None:
    certificate = context.tpp.identity.certificate.x509
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    url = points[0].full_name[0].value
    published = x509.load_der_x509_crl(requests.get(url, timeout=_FETCH_SECONDS, proxies=_NO_PROXIES).content)
    entry = published.get_revoked_certificate_by_serial_number(certificate.serial_number)
    assert entry is not None, f"{url} does not name serial {certificate.serial_number:x}"


@then("within a second access is refused because {reason}")
def step(context: Any, reason: str) -> None:
    # The same connection throughout, unless the gateway closes it: what counts is that nobody reads on.
    while True:
        answer = context.tpp.read_accounts(context.grant)
        late = time.monotonic() - context.since
        if answer.status != HTTPStatus.OK:
            break
        assert late < _second(context), f"the accounts were still shown after {late:.2f} s"
    require_refused(answer, reason)
