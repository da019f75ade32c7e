"""Documents of trust stores: every fault is told with its place, and what a store says takes effect in its judge."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.config import GatewaySettings
from gateway.configuration.changes import Change, DocumentInUse
from gateway.configuration.model import Document, DocumentRefused, Kinds
from gateway.configuration.service import Configuration
from gateway.configuration.snapshot import Parsed, SetRefused, Snapshot
from gateway.configuration.store import SqlConfigurationStore
from gateway.kinds import KINDS
from gateway.trust.judgement import Judge
from gateway.trust.kind import TRUST_STORES, parse_trust_store
from gateway.trust.rules import Method, Nonce, Scope, UnknownStatus
from gateway.trust.snapshot import TrustSnapshot
from gateway.trust.stores import TrustStores
from gateway.trust.verdict import Distrust, Distrusted
from psd2.clock import FixedClock
from tests.support.pki import DAY, Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Engine

NOW = dt.datetime.now(dt.UTC)
_TOO_FEW_BITS = 1024
ROOT = Authority("Root")
ISSUING = Authority("Issuing", parent=ROOT)


def document(body: Mapping[str, Any], name: str = "partners") -> Document:
    return Document(kind="trust-stores", name=name, body=body)


def holding(*anchors: str, intermediates: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"bundles": {"all": {"anchors": list(anchors), "intermediates": list(intermediates)}}}


def faults(body: Mapping[str, Any], name: str = "partners") -> list[tuple[str, str]]:
    with pytest.raises(DocumentRefused) as caught:
        parse_trust_store(document(body, name))
    return [(fault.field, fault.problem) for fault in caught.value.faults]


def ca(
    *,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    extra: x509.ExtensionType | None = None,
    sign_certificates: bool = True,
) -> str:
    """Make a CA below the root, odd in one way."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    usage = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    builder = (
        x509.CertificateBuilder(ROOT.name, x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Odd")]), own.public_key())
        .serial_number(7)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage, key_cert_sign=sign_certificates, crl_sign=True), critical=True)
    )
    if extra is not None:
        builder = builder.add_extension(extra, critical=True)
    made = builder.sign(ROOT.key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def signed_with_sha1() -> str:
    """Return a CA certificate that says so: the library signs none, but for RSA the names of both algorithms are as long."""
    root = Authority("RSA root")
    root.key = rsa.generate_private_key(65537, 2048)
    der = Authority("Old", parent=root).certificate.public_bytes(serialization.Encoding.DER)
    rsa_sha256, rsa_sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    changed = x509.load_der_x509_certificate(der.replace(rsa_sha256, rsa_sha1))
    return changed.public_bytes(serialization.Encoding.PEM).decode()


UNUSABLE = [
    pytest.param(lambda: "nothing", "no readable certificate in PEM", id="no PEM"),
    pytest.param(lambda: ISSUING.qwac().pem.split("-----END")[0] + "-----END CERTIFICATE-----\n", "is no CA", id="leaf"),
    pytest.param(lambda: ca(sign_certificates=False), "lacks keyCertSign", id="key usage"),
    pytest.param(lambda: ca(key=rsa.generate_private_key(65537, _TOO_FEW_BITS)), "RSA key has 1024 bits", id="short key"),
    pytest.param(lambda: ca(key=ec.generate_private_key(ec.SECP256K1())), "on the curve secp256k1", id="curve"),
    pytest.param(signed_with_sha1, "signed with sha1", id="SHA-1"),
    pytest.param(
        lambda: ca(extra=x509.PolicyConstraints(0, None)), "critical extension 2.5.29.36, not understood", id="critical"
    ),
]


@pytest.mark.parametrize(("made", "said"), UNUSABLE)
def test_what_is_no_usable_authority_is_named(made: Callable[[], str], said: str) -> None:
    """Each is wrong in one way, and stands beside a good one."""
    ((field, problem),) = faults(holding(ROOT.pem, made()))

    assert field == "bundles.all.anchors[1]"
    assert said in problem


def test_all_faults_are_told_at_once() -> None:
    """An operator mends a bundle of forty in one go."""
    body = holding(ROOT.pem, "x", "y")

    assert [field for field, _ in faults(body)] == ["bundles.all.anchors[1]", "bundles.all.anchors[2]"]


def test_a_certificate_stands_in_a_store_once() -> None:
    """Also where two bundles bring it."""
    body = {"bundles": {"one": {"anchors": [ROOT.pem]}, "two": {"anchors": [ISSUING.pem, ROOT.pem]}}}

    ((field, problem),) = faults(body)

    assert field == "bundles.two.anchors[1]"
    assert "it stands in bundles.one.anchors[0]" in problem


def test_an_intermediate_needs_its_issuer_in_the_store() -> None:
    """No chain would lead through it."""
    ((field, problem),) = faults(holding(Authority("Other").pem, intermediates=(ISSUING.pem,)))

    assert (field, "no CA of this store has issued it" in problem) == ("bundles.all.intermediates[0]", True)


def test_an_intermediate_that_its_issuer_does_not_permit_is_refused() -> None:
    """A pathLenConstraint of 0 (RFC 5280 §4.2.1.9)."""
    last = Authority("Last", path_length=0)
    ((_, problem),) = faults(holding(last.pem, intermediates=(Authority("Beyond", parent=last).pem,)))

    assert "pathLenConstraint is 0" in problem


def test_the_last_anchor_of_a_store_stays() -> None:
    """To end a store it is deleted, which is refused where a deployment needs it."""
    assert faults({"bundles": {}})[0][0] == "bundles"
    parse_trust_store(document({"bundles": {}}, "tpp"))  # what is in there is delivered


@pytest.mark.parametrize(
    ("field", "rules"),
    [
        ("revocation.method", {"method": "guess"}),
        ("revocation.crl.points[0]", {"crl": {"points": ["ftp://ca.example/list"]}}),
        ("revocation.ocsp.responder", {"ocsp": {"responder": "http://user@ca.example/"}}),
        ("revocation.ocsp.deadline_seconds", {"ocsp": {"deadline_seconds": 30}}),
        ("revocation.internal_hosts[0]", {"internal_hosts": ["ca.internal"]}),
    ],
)
def test_a_wrong_rule_is_named(field: str, rules: Mapping[str, Any]) -> None:
    """By its path."""
    assert [found for found, _ in faults(holding(ROOT.pem) | {"revocation": rules})] == [field]


def test_rules_are_read() -> None:
    """As they are written."""
    body = holding(ROOT.pem + ISSUING.pem) | {
        "max_chain_depth": 1,
        "revocation": {
            "method": "both",
            "unknown": "soft",
            "scope": "chain",
            "ocsp": {"nonce": "required", "responder": "http://ocsp.example/"},
            "internal_hosts": ["LOCALHOST:8439"],
        },
    }
    store = parse_trust_store(document(body))

    rules = store.rules.revocation
    assert (store.rules.max_chain_depth, rules.method, rules.unknown) == (1, Method.BOTH, UnknownStatus.SOFT)
    assert (rules.scope, rules.ocsp.nonce, rules.ocsp.responder) == (Scope.CHAIN, Nonce.REQUIRED, "http://ocsp.example/")
    assert rules.internal_hosts == {"localhost:8439"}
    assert [each.certificate for each in store.certificates] == [ROOT.certificate, ISSUING.certificate]


# --- with everything else that is configured


@pytest.fixture
def configuration(engine: Engine) -> Configuration:
    """Lend an empty configuration of all kinds."""
    return Configuration(kinds=KINDS, store=SqlConfigurationStore(engine), clock=FixedClock(NOW))


def put(configuration: Configuration, body: Mapping[str, Any] | None) -> None:
    configuration.apply([Change(kind="trust-stores", name="partners", body=body)])


def test_an_expired_authority_is_refused_when_written_and_stands_when_it_expires_later(engine: Engine) -> None:
    """A store that was good must not keep every other change of the configuration out a year later."""
    store = SqlConfigurationStore(engine)
    body = holding(Authority("Short", not_after=NOW + DAY).pem)
    put(Configuration(kinds=KINDS, store=store, clock=FixedClock(NOW)), body)
    later = Configuration(kinds=KINDS, store=store, clock=FixedClock(NOW + 2 * DAY))

    assert "partners" in later.snapshot().of(TRUST_STORES)
    with pytest.raises(SetRefused, match="expired at") as caught:
        put(later, body | {"description": "as it was"})
    assert [(fault.document, fault.field) for fault in caught.value.faults] == [
        ("trust-stores/partners", "bundles.all.anchors[0]")
    ]


def deployment(store: str) -> Change:
    routes = [{"path": "/partners/status", "methods": ["GET"], "trust_store": store}]
    body = {"listener": "edge", "upstream": "bank", "mtls": "required", "routes": routes}
    return Change(kind="deployments", name="api", body=body)


def test_a_store_that_a_deployment_needs_is_not_deleted(configuration: Configuration) -> None:
    """Nor can one be named that is not there."""
    with pytest.raises(SetRefused, match="there is no trust-stores/partners"):
        configuration.apply([deployment("partners")])
    put(configuration, holding(ROOT.pem))
    configuration.apply([deployment("partners")])

    with pytest.raises(DocumentInUse, match="deployments/api"):
        put(configuration, None)


# --- in a worker


def snapshot_of(*documents: Document) -> Snapshot:
    return Snapshot(Parsed(each, parse_trust_store(each)) for each in documents)


def test_a_new_set_names_the_stores_that_it_changes() -> None:
    """So that only their judges are made anew."""
    stores, renewed = TrustStores(GatewaySettings()), list[str]()
    stores.when_changed(renewed.append)
    kept, other = (Parsed(each, parse_trust_store(each)) for each in (document(holding(ROOT.pem)), document({}, "tpp")))
    stores.prepare(Snapshot([kept, other]))()
    renewed.clear()

    stores.prepare(Snapshot([kept]))()

    assert renewed == ["tpp"]


def test_a_document_adds_to_what_is_delivered_and_rules_over_it() -> None:
    """The sandbox's own CA comes from its portal, the others from the operator."""
    stores = TrustStores(GatewaySettings())
    body = holding(Authority("Other").pem) | {"max_chain_depth": 1, "revocation": {"unknown": "soft"}}
    stores.prepare(snapshot_of(document(body, "tpp")))()
    delivered = TrustSnapshot(anchors=(ROOT.certificate,), crls={})

    judge = Judge(stores.completed("tpp", delivered), stores.rules_of("tpp"))

    for authority in (ROOT, Authority("Stranger")):
        leaf = authority.qwac()
        digest = hashlib.sha256(leaf.der).digest()
        if authority is ROOT:
            judge.require_trusted(leaf.der, digest=digest, now=NOW.timestamp())
            continue
        with pytest.raises(Distrusted) as caught:
            judge.require_trusted(leaf.der, digest=digest, now=NOW.timestamp())
        assert caught.value.distrust is Distrust.UNTRUSTED


def test_the_kind_is_one_that_the_gateway_knows() -> None:
    """With a name that may be referred to before anything is written."""
    assert Kinds(KINDS)["trust-stores"].built_in == {"tpp"}
