"""The gateway's settings, read from `GATEWAY_…` variables once and refused at start when they make no sense."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import AddressText, ServiceSettings, peer_address, read_settings
from gateway.trust.addresses import read_host
from gateway.trust.rules import UnknownStatus

if TYPE_CHECKING:
    from chassis.addresses import Address

_KIBIBYTE = 1024
_MEBIBYTE = 1024 * _KIBIBYTE
_DAY = 86_400


def _require_hosts(text: str) -> str:
    return ",".join(read_host(host.strip()) for host in text.split(",") if host.strip())


HostList = Annotated[str, AfterValidator(_require_hosts)]


class BlindRule(StrEnum):
    """What becomes of requests that nobody can count: refused with 503, or let through."""

    REFUSE = "refuse"
    ADMIT = "admit"


class GatewaySettings(ServiceSettings):
    """Where the gateway keeps its files, how it listens, whom it calls, and its limits."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")
    database_name: ClassVar[str] = "gateway"

    home_path: Path = Field(default=Path(), validation_alias="GATEWAY_HOME", description="folder holding certs/ and var/")
    database: str | None = Field(
        default=None, validation_alias="GATEWAY_DATABASE_URL", description="database URL; default: HOME/var/gateway.sqlite"
    )
    bind_host: str = Field(default="localhost", min_length=1, description="address that the public listeners bind")
    bank: AddressText | None = Field(
        default=None, validation_alias="GATEWAY_BANK_ADDRESS", description="the bank, host or host:port"
    )
    authorization: AddressText | None = Field(
        default=None,
        validation_alias="GATEWAY_AUTHORIZATION_ADDRESS",
        description="the authorization server, host or host:port",
    )
    portal: AddressText | None = Field(
        default=None, validation_alias="GATEWAY_PORTAL_ADDRESS", description="the portal, host or host:port"
    )
    demo: AddressText | None = Field(
        default=None, validation_alias="GATEWAY_DEMO_ADDRESS", description="the demo app, host or host:port"
    )
    configuration: Path | None = Field(
        default=None,
        description="the operator's own documents, a .toml or .json file or a folder of them, applied at each start",
    )
    sandbox_mode: bool = Field(default=True, description="tell a refused TPP the reason, a hint and the clause")

    edge_workers: int = Field(default=2, ge=1, le=64, description="worker processes of the edge")
    max_connections: int = Field(default=2_000, ge=1, le=100_000, description="open connections a worker")
    max_head_bytes: int = Field(default=32 * _KIBIBYTE, ge=_KIBIBYTE, le=_MEBIBYTE, description="a request's line and headers")
    max_header_count: int = Field(default=100, ge=10, le=1_000, description="header lines of a request")
    max_body_bytes: int = Field(default=_MEBIBYTE, ge=0, le=1024 * _MEBIBYTE, description="a request's body")
    held_body_bytes: int = Field(
        default=256 * _MEBIBYTE,
        ge=_MEBIBYTE,
        le=64 * 1024 * _MEBIBYTE,
        description="bodies that a worker holds while they arrive, and answers not taken; of one TPP or address a quarter",
    )
    handshake_seconds: float = Field(default=10, gt=0, le=60, description="time a TLS handshake may take")
    head_seconds: float = Field(default=10, gt=0, le=120, description="time a request's head may take to arrive")
    body_seconds: float = Field(default=60, gt=0, le=3_600, description="time a request's body may take to arrive")
    stall_seconds: float = Field(default=30, gt=0, le=600, description="time a client may take no byte of its answer")
    idle_seconds: float = Field(default=75, gt=0, le=3_600, description="time a connection may stay between two requests")

    upstream_connections: int = Field(default=64, ge=1, le=10_000, description="connections a worker opens to one server")
    upstream_waiting: int = Field(default=1_000, ge=0, le=100_000, description="requests that may wait for such a connection")
    upstream_connect_seconds: float = Field(default=2, gt=0, le=60, description="time to connect, or to wait for a connection")
    upstream_head_seconds: float = Field(default=30, gt=0, le=600, description="time until an answer begins")
    upstream_stall_seconds: float = Field(default=30, gt=0, le=600, description="time between two pieces of an answer")
    # Shorter than the internal servers' keep-alive (90 s): the edge closes first, so that it never writes to a closing one.
    upstream_idle_seconds: float = Field(default=60, gt=0, le=3_600, description="time an unused connection is kept")

    poll_seconds: float = Field(default=0.25, gt=0, le=1, description="how often a worker reads the change feed")
    stale_seconds: float = Field(default=1, gt=0, le=60, description="without a successful read for so long, TPPs are refused")
    remembered: int = Field(default=50_000, ge=100, le=5_000_000, description="tokens, TPPs, clients a worker remembers, each")
    revocation: UnknownStatus = Field(default=UnknownStatus.HARD, description="status unknown: hard refuses, soft admits")
    crl_grace_seconds: float = Field(default=3_600, ge=0, le=604_800, description="time a CRL serves past its nextUpdate")
    signature_seconds: float = Field(
        default=300, ge=1, le=86_400, description="how far a signed request's Date may be from now"
    )
    dpop_seconds: float = Field(
        default=60, ge=5, le=600, description="how long a proof of possession (DPoP) is good after its iat"
    )
    dpop_nonce: bool = Field(
        default=False, description="whether such a proof must hold a nonce of this server, where no deployment says so"
    )
    message_signature_seconds: float = Field(
        default=60, ge=5, le=600, description="how long an HTTP message signature is good after its created (RFC 9421)"
    )
    signed_response_bytes: int = Field(
        default=_MEBIBYTE, ge=_KIBIBYTE, le=16 * _MEBIBYTE, description="the largest answer that is signed: it is held whole"
    )
    audit_folder: Path | None = Field(
        default=None, description="audit files, written by the edge and read by the control API; default: HOME/var/log"
    )
    audit_files_kept: int = Field(
        default=8, ge=1, le=10_000, description="full audit files kept of each worker; the oldest is deleted when one is added"
    )
    audit_file_bytes: int = Field(default=64 * _MEBIBYTE, ge=_MEBIBYTE, description="size at which an audit file is rotated")
    audit_days: int = Field(default=90, ge=1, le=3_650, description="days that audit records are kept in the database")
    audit_rows: int = Field(
        default=500_000, ge=1_000, le=1_000_000_000, description="audit records kept in the database, of about 2 KB each"
    )
    admin_audit_days: int = Field(
        default=1_825, ge=30, le=36_500, description="days that records of administrators' changes are kept, at least"
    )

    limits_store: str | None = Field(
        default=None,
        description="where rates and quotas are counted: valkey://…, postgresql://… or sqlite:///FILE; default: the gateway's "
        "PostgreSQL database, or HOME/var/limits.sqlite",
    )
    limits_without_store: BlindRule = Field(
        default=BlindRule.REFUSE, description="where that can't be asked: refuse what is limited, or admit it uncounted"
    )
    limits_remembered: int = Field(default=50_000, ge=100, le=5_000_000, description="counters that a worker remembers")
    brute_force_failures: int = Field(
        default=1_000, ge=1, le=1_000_000, description="failed authentications of an address (IPv6: /64) before it is blocked"
    )
    brute_force_seconds: float = Field(default=60, gt=0, le=_DAY, description="time after which as many are granted again")
    brute_force_block_seconds: float = Field(default=60, gt=0, le=30 * _DAY, description="how long such an address is blocked")

    internal_client_hosts: HostList = Field(
        default="",
        description="host:port, comma separated, that a client's jwks_uri or notification endpoint may name although it is on "
        "no public network; such a host shows a certificate of this home's own root",
    )
    signing_key_seconds: int = Field(
        default=30 * _DAY, ge=3_600, le=730 * _DAY, description="time after which the next key signs what clients verify"
    )
    signing_key_ahead_seconds: int = Field(
        default=_DAY, ge=600, le=90 * _DAY, description="time for which that next key has to have been published before"
    )
    software_directories: Path | None = Field(
        default=None, description="JSON file of the directories whose software statements are taken: issuer to JWK Set"
    )
    # Threads of one process take turns at the interpreter lock: the second process gives 1.4 times the tokens on two cores.
    authorization_workers: int = Field(default=2, ge=1, le=32, description="processes of the authorization server")
    authorization_threads: int = Field(default=12, ge=1, le=256, description="requests that each of them serves at a time")
    admin_threads: int = Field(default=4, ge=1, le=64, description="requests that the control API serves at a time")
    access_token_seconds: int = Field(default=600, ge=30, le=3_600, description="life of an access token")
    refresh_token_seconds: int = Field(default=180 * _DAY, ge=600, le=730 * _DAY, description="life of a refresh token")
    code_seconds: int = Field(default=60, ge=5, le=60, description="life of an authorization code (FAPI 2.0 §5.3.2.1)")
    pushed_request_seconds: int = Field(
        default=90, ge=5, lt=600, description="life of a request_uri until the browser comes with it (FAPI 2.0 §5.3.2.2)"
    )
    authorization_seconds: int = Field(default=900, ge=60, le=3_600, description="time the PSU has to decide")
    backchannel_asks: int = Field(
        default=5, ge=1, le=100, description="how often a client may have a PSU asked in its app without a yes"
    )
    backchannel_ask_seconds: float = Field(
        default=60, ge=1, le=_DAY, description="time after which it may then have the PSU asked once more"
    )
    # A code that comes a second time is recognised, and what it gave revoked, for as long as its row is kept.
    retention_seconds: int = Field(default=_DAY, ge=3_600, le=90 * _DAY, description="time expired codes and tokens are kept")
    prune_seconds: float = Field(default=60, ge=1, le=_DAY, description="how often expired ones are deleted")

    @property
    def client_hosts(self) -> frozenset[str]:
        """The hosts inside that clients may have this server call."""
        return frozenset(host for host in self.internal_client_hosts.split(",") if host)

    @property
    def metrics_path(self) -> Path:
        """Where the edge's workers write what they count, and the control API reads it: with the audit where that is apart."""
        return self.audit_folder or self.home.run

    @property
    def audit_path(self) -> Path:
        """Where the edge writes its audit files, and the control API reads them."""
        return self.audit_folder or self.home.log

    @property
    def limits_url(self) -> str:
        """Where rates and quotas are counted: on SQLite in a file of their own, so that tokens and counts don't queue."""
        if self.limits_store is not None:
            return self.limits_store
        return self.home.database_url("limits") if self.database_url.startswith("sqlite") else self.database_url

    @property
    def bank_address(self) -> Address:
        """Where the bank listens."""
        return peer_address(self.bank, default_port=self.ports.bank)

    @property
    def authorization_address(self) -> Address:
        """Where the authorization server listens."""
        return peer_address(self.authorization, default_port=self.ports.authorization)

    @property
    def portal_address(self) -> Address:
        """Where the portal listens."""
        return peer_address(self.portal, default_port=self.ports.portal_internal)

    @property
    def demo_address(self) -> Address:
        """Where the demo app listens."""
        return peer_address(self.demo, default_port=self.ports.demo_internal)

    @property
    def front_url(self) -> str:
        """Where browsers reach the authorization server: `https://localhost:8441`; also the OAuth issuer."""
        return f"https://{self.public_host}:{self.ports.front}"

    @property
    def edge_url(self) -> str:
        """Where TPPs reach the gateway over mutual TLS: `https://localhost:8443`."""
        return f"https://{self.public_host}:{self.ports.edge}"


def load_settings() -> GatewaySettings:
    """Read the settings; raises `SettingsRefused`."""
    return read_settings(GatewaySettings)
