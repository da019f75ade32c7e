"""Self-signed certificates that clients have registered, on real connections: to the authorization server, and no further."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gateway.register.model import AuthMethod, Client, ClientProfile, TppStatus
from tests.support.edge import CLIENT_ID, Answer, EdgeUnderTest, running_edge
from tests.support.http2 import head, http2
from tests.support.patience import IN_FORCE_SECONDS
from tests.support.pki import NUMBER, Issued, key_of, self_issued
from tests.support.ports import wait_until
from tests.support.scripted_upstream import echo

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER_NUMBER = "PSDDE-BAFIN-100009"
TAKEN = ("/token", "/par", "/introspect", "/revoke", "/bc-authorize")
NOT_TAKEN = ("/register", "/v1/consents", "/sandbox/v1/psu-interactions", "/sandbox/v1/data/import")
FORGED = {"X-Sandbox-Tpp": OTHER_NUMBER, "X-Sandbox-Certificate": "qwac", "X-Sandbox-Roles": "PSP_PI", "Client-Cert": ":AA==:"}


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    with running_edge(tmp_path_factory.mktemp("edge"), BRUTE_FORCE_FAILURES="1000000") as edge:
        edge.bank.reply = edge.authorization.reply = echo
        edge.register.tpp(OTHER_NUMBER)
        yield edge


@pytest.fixture
def own(edge: EdgeUnderTest) -> Issued:
    """Register a client with a certificate that claims to be another TPP's QWAC."""
    certificate = self_issued(number=OTHER_NUMBER)
    register(edge, certificate)
    in_force(edge, certificate, None)
    return certificate


def register(edge: EdgeUnderTest, *certificates: Issued, client_id: str = "self-signed", **changes: Any) -> None:
    client = Client(
        client_id=client_id,
        authorisation_number=NUMBER,
        name="Test client",
        redirect_uris=("https://tpp.example/cb",),
        profile=ClientProfile.FAPI2,
        token_endpoint_auth_method=AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH,
        jwks={"keys": [key_of(each) for each in certificates]},
    )
    edge.register.save(client, **changes)


def post(edge: EdgeUnderTest, certificate: Issued | None, path: str = "/token", **options: Any) -> Answer:
    return edge.get(path, certificate=certificate, method="POST", body=b"a=b", **options)


def in_force(edge: EdgeUnderTest, certificate: Issued, reason: str | None) -> None:
    """Wait until every worker refuses it so, or lets it in; eight new connections come to both."""

    def is_so() -> bool:
        return all(post(edge, certificate).json.get("reason") == reason for _ in range(8))

    wait_until(is_so, seconds=IN_FORCE_SECONDS, what=f"{reason or 'admission'} at all workers")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("path", TAKEN)
def test_the_authorization_server_gets_it_with_the_word_of_the_register(
    edge: EdgeUnderTest, own: Issued, path: str, version: ssl.TLSVersion
) -> None:
    """Whose it is says the register, not the certificate, nor any header; and the log shows it to that TPP."""
    answer = post(edge, own, path, version=version, headers=FORGED)
    assert answer.status == 200, answer.body
    seen = dict(answer.json["headers"])
    assert (seen["x-sandbox-certificate"], seen["x-sandbox-tpp"]) == ("registered", NUMBER)
    assert seen["client-cert"].startswith(":MII")
    record = edge.record_of(answer)
    assert (record["tpp"], record["revocation"]["method"]) == (NUMBER, "registration")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_one_with_any_strong_key_is_taken(edge: EdgeUnderTest, version: ssl.TLSVersion) -> None:
    """Also with one that signs no message here."""
    keys = [
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(public_exponent=65_537, key_size=2048),
    ]
    certificates = [self_issued(key=key) for key in keys]
    register(edge, *certificates, client_id="kinds")
    for certificate in certificates:
        in_force(edge, certificate, None)
        assert post(edge, certificate, version=version).status == 200


@pytest.mark.parametrize("path", NOT_TAKEN)
def test_nothing_else_is_opened_by_it(edge: EdgeUnderTest, own: Issued, path: str) -> None:
    """Its owner hears why; a stranger's is not trusted, there as at the authorization server."""
    answer = post(edge, own, path)
    assert (answer.status, answer.reason) == (401, "mtls.self_signed")
    assert edge.record_of(answer)["tpp"] == NUMBER
    for place in (path, *TAKEN):
        assert post(edge, self_issued(), place).reason == "mtls.untrusted"


def test_a_token_of_it_opens_grants_and_no_account(edge: EdgeUnderTest, own: Issued) -> None:
    """Where the route takes the certificate the token is good, with it alone; accounts want a QWAC, and it is none's."""
    token = edge.register.token(own, client_id="self-signed", scope="AIS:consent-1 grant_management_query")
    assert edge.get("/grants/1", certificate=own, token=token).status == 200
    assert edge.get("/grants/1", certificate=edge.qwac, token=token).reason == "token.cnf_mismatch"
    assert edge.get("/v1/accounts", certificate=own, token=token).reason == "mtls.self_signed"
    assert edge.get("/v1/accounts", certificate=edge.qwac, token=token).reason == "token.cnf_mismatch"


def test_it_ends_with_its_registration_on_open_and_resumed_connections(edge: EdgeUnderTest) -> None:
    """Taken out of the keys, it is refused at the next request, over HTTP/1.1 and HTTP/2; the one in its place is taken."""
    old, new = self_issued(), self_issued()
    register(edge, old, client_id="rotating")
    in_force(edge, old, None)
    context = edge.context(old)
    with edge.connect(context=context) as standing, http2(edge, old) as client:
        assert edge.over(standing, "/token", method="POST", body=b"a=b").status == 200
        assert client.answer(client.ask(head("/token", "POST"), b"a=b")).status == 200
        register(edge, new, client_id="rotating")
        in_force(edge, old, "mtls.untrusted")
        for refused in (
            lambda: edge.over(standing, "/token", method="POST", body=b"a=b").status == 401,
            lambda: client.answer(client.ask(head("/token", "POST"), b"a=b")).status == 401,
        ):
            wait_until(refused, seconds=IN_FORCE_SECONDS, what="the change on an open connection")
        session = standing.session
    with edge.connect(context=context, session=session) as resumed:
        answer = edge.over(resumed, "/token", method="POST", body=b"a=b")
        assert (resumed.session_reused, answer.status, answer.reason) == (True, 401, "mtls.untrusted")
    in_force(edge, new, None)


def test_its_connections_outlive_what_concerns_others(edge: EdgeUnderTest, own: Issued) -> None:
    """A revoked QWAC and a barred TPP end theirs alone, over which they might have been asked once more."""
    other = edge.authority.qwac()
    with edge.connect(own) as standing, edge.connect(own) as second:
        for connection in (standing, second):
            assert edge.over(connection, "/token", method="POST", body=b"a=b").status == 200
        in_force(edge, other, None)
        edge.revoke(other)
        edge.register.tpp("PSDDE-BAFIN-100011", status=TppStatus.BLOCKED)
        in_force(edge, other, "mtls.revoked")
        for connection in (standing, second) * 4:
            assert edge.over(connection, "/token", method="POST", body=b"a=b").status == 200


@pytest.mark.parametrize("deed", ["delete", "block certificate", "block TPP"])
def test_it_ends_with_its_client_its_tpp_and_by_the_operators_word(edge: EdgeUnderTest, deed: str) -> None:
    certificate = self_issued()
    number = f"PSDDE-BAFIN-{len(deed)}"
    edge.register.tpp(number)
    register(edge, certificate, client_id="ending", authorisation_number=number)
    in_force(edge, certificate, None)
    if deed == "delete":
        edge.register.delete_client("ending")
    elif deed == "block TPP":
        edge.register.tpp(number, status=TppStatus.BLOCKED)
    else:
        edge.register.trust.block(certificate.sha256, "stolen")
    in_force(edge, certificate, "mtls.untrusted" if deed == "delete" else "mtls.blocked")


def test_others_are_judged_as_they_were(edge: EdgeUnderTest) -> None:
    """A QWAC opens what it did, and nobody comes in without a certificate."""
    assert post(edge, edge.qwac).status == 200
    assert post(edge, None).reason == "mtls.missing"
    token = edge.register.token(edge.qwac, client_id=CLIENT_ID)
    assert edge.get("/v1/accounts", certificate=edge.qwac, token=token).status == 200


def test_an_unknown_one_is_told_to_the_authorization_server(edge: EdgeUnderTest) -> None:
    """Which looks whether a client has published it a moment ago."""

    def is_told() -> bool:
        assert post(edge, self_issued()).reason == "mtls.untrusted"
        return "POST /internal/unknown-certificates HTTP/1.1" in [each.line for each in edge.authorization.received]

    wait_until(is_told, seconds=IN_FORCE_SECONDS, what="the word of it")
