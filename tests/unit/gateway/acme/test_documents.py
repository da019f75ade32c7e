"""Documents of ACME: what is wrong with one is told with its field; what binds an account to a customer's is a secret."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.acme.kind import ACME_ACCOUNTS, parse_account, parse_certificate
from gateway.acme.model import KeyType
from gateway.certificates.server_names import shown_names
from gateway.configuration.model import Document, DocumentRefused
from gateway.configuration.secrets import redacted
from gateway.configuration.snapshot import SetRefused, Snapshot, parsed_document, require_consistent
from gateway.kinds import KINDS
from tests.support.pki import Authority

DIRECTORY = "https://acme.example/directory"
HMAC_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajV"
BINDING = {"key_id": "1", "hmac_key": HMAC_KEY}
ACCOUNT: dict[str, Any] = {"directory": DIRECTORY, "terms_of_service_agreed": True, "contact": ["mailto:ops@bank.example"]}
CERTIFICATE: dict[str, Any] = {"account": "public", "names": ["shop.example", "www.shop.example"]}


def account_document(**changed: object) -> Document:
    return Document("acme-accounts", "public", ACCOUNT | changed)


def certificate_document(**changed: object) -> Document:
    return Document("acme-certificates", "shop", CERTIFICATE | changed)


def test_what_is_not_said_is_what_most_want() -> None:
    """P-256, renewed thirty days before the end, or when the CA says."""
    wanted = parse_certificate(certificate_document())
    assert (wanted.key_type, wanted.renew_before, wanted.asks_when) == (KeyType.EC_P256, timedelta(days=30), True)
    assert not parse_account(Document("acme-accounts", "public", {"directory": DIRECTORY})).terms_agreed


@pytest.mark.parametrize(
    ("changed", "field", "problem"),
    [
        ({"directory": "http://acme.example/directory"}, "directory", "https://"),
        ({"directory": "ftp://acme.example/"}, "directory", "https://"),
        ({"directory": "https://user@acme.example/"}, "directory", "no user"),
        ({"contact": ["ops@bank.example"]}, "contact[0]", "mailto:"),
        ({"ca_bundle": "none"}, "ca_bundle", "no readable certificate"),
        ({"ca_bundle": Authority().server("acme.example").pem}, "ca_bundle", "is no CA"),
        ({"external_account": {"key_id": "1", "hmac_key": "short"}}, "external_account.hmac_key", "16 bytes"),
        ({"external_account": BINDING | {"algorithm": "none"}}, "external_account.algorithm", "HS256"),
    ],
)
def test_an_account_that_can_not_be_used_is_refused(changed: dict[str, Any], field: str, problem: str) -> None:
    with pytest.raises(DocumentRefused) as refused:
        parse_account(account_document(**changed))
    (fault,) = refused.value.faults
    assert fault.field == field
    assert problem in fault.problem


@pytest.mark.parametrize(
    ("changed", "field", "problem"),
    [
        ({"names": ["*.shop.example"]}, "names[0]", "wildcard"),
        ({"names": ["Shop.example"]}, "names[0]", "lower case"),
        ({"names": ["shop.example", "shop.example"]}, "names", "twice"),
        ({"names": []}, "names", "at least 1"),
        ({"key_type": "rsa-1024"}, "key_type", "rsa-2048"),
        ({"renew_before_days": 0}, "renew_before_days", "greater"),
    ],
)
def test_a_certificate_that_can_not_be_had_is_refused(changed: dict[str, Any], field: str, problem: str) -> None:
    with pytest.raises(DocumentRefused) as refused:
        parse_certificate(certificate_document(**changed))
    (fault,) = refused.value.faults
    assert fault.field == field
    assert problem in fault.problem


def test_a_certificate_needs_its_account() -> None:
    certificate = parsed_document(KINDS, certificate_document())
    require_consistent(KINDS, Snapshot([certificate, parsed_document(KINDS, account_document())]))
    with pytest.raises(SetRefused, match="acme-accounts/public"):
        require_consistent(KINDS, Snapshot([certificate]))


def test_the_key_of_a_customers_account_is_not_shown() -> None:
    """And, its kind having a secret, sealed where it is stored."""
    body = ACCOUNT | {"external_account": BINDING}
    assert HMAC_KEY not in str(redacted(body, ACME_ACCOUNTS.secrets, version=1))
    assert HMAC_KEY not in repr(parse_account(Document("acme-accounts", "public", body)))


def test_server_names_may_wait_for_their_certificate() -> None:
    """One file says all of it, before there is a certificate; names that it will not have are told then."""
    names = {"names": ["shop.example"], "listeners": ["front"], "certificate": "shop"}
    wanted = [parsed_document(KINDS, each) for each in (account_document(), certificate_document())]

    def told(**changed: object) -> SetRefused | None:
        waiting = parsed_document(KINDS, Document("server-names", "shop", names | changed))
        snapshot = Snapshot([*wanted, waiting])
        assert shown_names(snapshot) == []
        try:
            require_consistent(KINDS, snapshot)
        except SetRefused as refused:
            return refused
        return None

    assert told() is None
    assert "names[1]: pay.example is none of the names of acme-certificates/shop" in str(
        told(names=["shop.example", "pay.example"])
    )
    assert "certificate: there is no certificates/other" in str(told(certificate="other"))
