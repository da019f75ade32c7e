"""What an upstream is shown out of the certificate store: kept as long as it is named, and fit for a TLS client."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.certificates.kind import CERTIFICATES
from gateway.configuration.changes import Change, DocumentInUse
from gateway.configuration.model import Kinds
from gateway.configuration.service import Configuration
from gateway.configuration.snapshot import SetRefused
from gateway.configuration.store import SqlConfigurationStore
from gateway.upstreams.kind import UPSTREAMS
from psd2.clock import FixedClock
from tests.support.pki import Authority
from tests.support.stored_certificates import version

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.support.pki import Issued

OURS = Authority("CA of callers")
OF_CLIENT = OURS.qwac(usages=[ExtendedKeyUsageOID.CLIENT_AUTH])
OF_SERVER = OURS.qwac(usages=[ExtendedKeyUsageOID.SERVER_AUTH])
UPSTREAM = Change(
    kind="upstreams",
    name="pay",
    body={
        "targets": [{"host": "pay.example"}],
        "tls": {"authorities": [OURS.pem]},
        "client_certificates": [{"stored": "caller", "hosts": ["pay.example"]}],
    },
)


def stored(*issued: Issued, **more: Any) -> Change:
    return Change(kind="certificates", name="caller", body={"versions": [version(each) | more for each in issued]})


@pytest.fixture
def configuration(engine: Engine) -> Configuration:
    clock = FixedClock(datetime.now(UTC))
    return Configuration(kinds=Kinds((CERTIFICATES, UPSTREAMS)), store=SqlConfigurationStore(engine), clock=clock)


def test_a_certificate_that_an_upstream_is_shown_stays(configuration: Configuration) -> None:
    """Its users are named; once nobody names it, it may go."""
    with pytest.raises(SetRefused, match="there is no certificates/caller"):
        configuration.apply([UPSTREAM])
    configuration.apply([stored(OF_CLIENT), UPSTREAM])
    gone = [Change(kind=each.kind, name=each.name, body=None) for each in (stored(OF_CLIENT), UPSTREAM)]

    with pytest.raises(DocumentInUse, match=r"upstreams/pay \(client_certificates\[0\]\.stored\)"):
        configuration.apply(gone[:1])
    configuration.apply(gone)


@pytest.mark.parametrize(
    ("unfit", "said"),
    [
        (stored(OF_CLIENT, key=None), "has no private key"),
        (stored(OF_SERVER), "lacks clientAuth"),
    ],
    ids=["no key", "no client"],
)
def test_a_certificate_by_which_nobody_could_prove_anything_is_refused(
    configuration: Configuration, unfit: Change, said: str
) -> None:
    """With the upstream that names it, and as the version that takes a good one's place."""
    with pytest.raises(SetRefused, match=said):
        configuration.apply([unfit, UPSTREAM])
    configuration.apply([stored(OF_CLIENT), UPSTREAM])
    with pytest.raises(SetRefused, match=said):
        configuration.apply([unfit])
