"""The gateway's database: every table that a part of it reads or writes, and `python -m gateway.database`.

Times are epoch seconds, UTC. Tokens, codes and one-time ids are stored as SHA-256 only: who reads the database can use
none of them.
"""

import sys
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
)

from chassis.database import EXIT_UNUSABLE, database_command, open_engine, require_current

if TYPE_CHECKING:
    from gateway.config import GatewaySettings

PACKAGE: Final = "gateway"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite hands out row ids itself only for a column of exactly the type INTEGER.
_RowId = BigInteger().with_variant(Integer(), "sqlite")

changes = Table(
    "changes",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Index(None, "at"),
    # Without AUTOINCREMENT, SQLite would reuse the ids of pruned rows and a poller would miss what they now say.
    sqlite_autoincrement=True,
)

tpps = Table(
    "tpps",
    metadata,
    Column("authorisation_number", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("nca_id", Text, nullable=False),
    Column("nca_name", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

clients = Table(
    "clients",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column(
        "authorisation_number",
        Text,
        ForeignKey("tpps.authorisation_number"),
        nullable=False,
    ),
    Column("name", Text, nullable=False),
    Column("redirect_uris", Text, nullable=False),  # a JSON array of strings
    Column("profile", Text, nullable=False),
    Column("token_endpoint_auth_method", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("oauth_metadata", Text, nullable=False, server_default="{}"),  # a JSON object: the members that have no column
    Index(None, "authorisation_number"),
)

trust_certificates = Table(
    "trust_certificates",
    metadata,
    Column("store", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("pem", Text, nullable=False),
)

crls = Table(
    "crls",
    metadata,
    Column("store", Text, primary_key=True),
    Column("issuer", Text, primary_key=True),
    Column("number", Text, nullable=False),  # decimal: up to 20 octets (RFC 5280 §5.2.3), wider than any SQL integer
    Column("this_update", Double, nullable=False),
    Column("next_update", Double, nullable=False),
    Column("der", LargeBinary, nullable=False),
    Column("sha256", Text, nullable=False),  # of the DER
    Column("serial_width", Integer, nullable=False),  # octets of each of the serial numbers
    Column("serials", LargeBinary, nullable=False),  # as gateway.trust.serials lays them out
    Column("source", Text, nullable=False),  # where it came from: `pushed`, or the address it was fetched from
    Column("taken_at", Double, nullable=False),
)

ocsp_answers = Table(
    "ocsp_answers",
    metadata,
    Column("key", Text, primary_key=True),  # trust store, certificate and issuer (gateway.trust.ocsp_status)
    Column("verdict", Text, nullable=False),
    Column("as_of", Double, nullable=False),
    Column("known_until", Double, nullable=False),
    Column("refresh_at", Double, nullable=False),
    Column("responder", Text, nullable=False),
    Column("revoked_at", Double, nullable=False),
    Column("taken_at", Double, nullable=False),
    # Serial number (hex) of the delegated signer, which may be revoked later; empty where the issuer has signed itself.
    Column("signer", Text, nullable=False, server_default=""),
    Index(None, "known_until"),
)

crl_points = Table(
    "crl_points",
    metadata,
    Column("store", Text, primary_key=True),
    Column("url", Text, primary_key=True),
    Column("named_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("tried_at", Double),
    Column("taken_at", Double),
    Column("etag", Text),
    Column("failure", Text),  # of the last try; null where it went well
)

blocked_certificates = Table(
    "blocked_certificates",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", Double, nullable=False),
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("authorisation_number", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("subject", Text),
    Column("thumbprint", Text, nullable=False),  # of the certificate that it is bound to; empty where to none
    Column("jkt", Text),  # of the key that it is bound to (RFC 7638)
    Column("grant_id", Text, nullable=False),
    Column("issued_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("revoked_at", Double),
    Index(None, "grant_id"),
    Index(None, "client_id"),
    Index(None, "expires_at"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("authorisation_number", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("subject", Text),
    Column("grant_id", Text, nullable=False),
    Column("issued_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("revoked_at", Double),
    Index(None, "grant_id"),
    Index(None, "client_id"),
    Index(None, "expires_at"),
)

authorization_requests = Table(
    "authorization_requests",
    metadata,
    Column("sha256", Text, primary_key=True),  # of the one-time id that the bank's return URL carries
    Column("browser_sha256", Text, nullable=False),  # of the cookie that binds the request to one browser
    Column("client_id", Text, nullable=False),
    Column("authorisation_number", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("state", Text),
    Column("response_alg", Text),  # signs the answer to the client; null where that is not signed
    Column("code_challenge", Text, nullable=False),
    Column("dpop_jkt", Text),  # of the key that the code is to be redeemed with
    Column("interaction", Text, nullable=False),  # the bank's id for what it asks the PSU
    Column("interaction_url", Text, nullable=False),
    Column("is_made", Boolean, nullable=False, server_default=false()),  # its consent or payment was made for it
    Column("authorization_details", Text),  # JSON: the one entry as sent (RFC 9396)
    Column("grant_action", Text),  # create, replace; null where the client manages no grants
    Column("grant_id", Text),  # the one to be replaced
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("pushed_sha256", Text),  # of the request_uri that it came by
    Index(None, "expires_at"),
)

pushed_requests = Table(
    "pushed_requests",
    metadata,
    Column("sha256", Text, primary_key=True),  # of the request_uri
    Column("client_id", Text, nullable=False),
    Column("parameters", Text, nullable=False),  # a JSON object
    Column("expires_at", Double, nullable=False),
    Column("answered_by", Text),  # the one authorization request whose answer the client gets; set by whichever comes first
    Index(None, "expires_at"),
)

client_assertions = Table(
    "client_assertions",
    metadata,
    Column("sha256", Text, primary_key=True),  # of the client's id and the assertion's
    Column("expires_at", Double, nullable=False),
    Index(None, "expires_at"),
)

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("request_sha256", Text, nullable=False),  # one code for each authorization request
    Column("client_id", Text, nullable=False),
    Column("authorisation_number", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("subject", Text),
    Column("code_challenge", Text, nullable=False),
    Column("dpop_jkt", Text),
    Column("grant_id", Text, nullable=False),
    Column("issued_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("claimed_at", Double),  # set by the one token request that wins the code
    Column("authorization_details", Text),  # JSON: an array, as granted; null where nothing is told of the grant
    Column("tells_grant", Boolean, nullable=False, server_default=false()),
    Index(None, "request_sha256", unique=True),
    Index(None, "client_id"),
    Index(None, "expires_at"),
)

# The keys that the authorization server signs with; who reads the database can sign nothing.
signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("alg", Text, nullable=False),
    Column("number", Integer, nullable=False),  # of the keys for this algorithm, from 1 on
    Column("jwk", Text, nullable=False),  # the public key, as it is published
    Column("sealed", LargeBinary, nullable=False),  # the private key
    Column("published_at", Double, nullable=False),
    Column("signs_from", Double),  # null: the successor
    Column("withdrawn_at", Double),
    Index(None, "alg", "number", unique=True),
)

# What the addresses that clients name as `jwks_uri` have given, and when they were last asked.
client_key_sets = Table(
    "client_key_sets",
    metadata,
    Column("url", Text, primary_key=True),
    Column("tried_at", Double, nullable=False),
    Column("failure", Text),  # of the last try; null where it went well, or still goes on
    Column("jwks", Text),  # what came last; null where nothing ever did
    Column("fetched_at", Double),
    Index(None, "tried_at"),
)

grants = Table(
    "grants",
    metadata,
    Column("id", Text, primary_key=True),  # the `grant_id` of its tokens
    Column("client_id", Text, nullable=False),
    Column("authorisation_number", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("authorization_details", Text, nullable=False),  # JSON: an array, as granted
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("revoked_at", Double),
    Index(None, "client_id"),
    Index(None, "expires_at"),
)

backchannel_requests = Table(
    "backchannel_requests",
    metadata,
    Column("sha256", Text, primary_key=True),  # of the auth_req_id
    Column("client_id", Text, nullable=False),
    Column("authorisation_number", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("subject", Text, nullable=False),  # whom the client asks for
    Column("authorisation", Text, nullable=False),  # the bank's id for what it asks the PSU
    Column("interval", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("is_made", Boolean, nullable=False),
    Column("authorization_details", Text),
    Column("polled_at", Double),
    Column("ping", Text),  # what the client's endpoint is told, sealed
    Column("ping_at", Double),
    Column("pings", Integer, nullable=False),
    Index(None, "client_id"),
    Index(None, "ping_at"),
    Index(None, "expires_at"),
)

documents = Table(
    "documents",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("body", Text, nullable=False),  # canonical JSON
    Column("origin", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Double, nullable=False),
)

document_versions = Table(
    "document_versions",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("body", Text, nullable=False),  # canonical JSON; empty where the document was deleted
    Column("origin", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Double, nullable=False),
)

admin_audit = Table(
    "admin_audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # from 1 on, without a gap
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("on_behalf_of", Text),
    Column("action", Text, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_name", Text, nullable=False),
    Column("difference", Text, nullable=False),  # JSON, secrets redacted
    Column("previous", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Index(None, "object_kind", "object_name"),
)

# Counters of rates and quotas: here where the gateway's database counts them too, otherwise in a store of their own.
limit_accounts = Table(
    "limit_accounts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("used", Double, nullable=False),
    Column("at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Index(None, "expires_at"),
)

# How near their end certificates have been told to be, in days.
expiry_notices = Table(
    "expiry_notices",
    metadata,
    Column("place", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("days", Integer, primary_key=True),
    Column("at", Double, nullable=False),
)

# Compared as the files' reader compares them, whatever the server's locale.
_Ordered = Text().with_variant(Text(collation="C"), "postgresql")
_PLACE: Final = ("ts", "request_id", "number")

audit_records = Table(
    "audit_records",
    metadata,
    Column("number", _RowId, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),  # the request's id, or where the record stood
    Column("ts", _Ordered, nullable=False),
    Column("request_id", _Ordered, nullable=False),  # empty for a handshake that failed
    # The beginnings of what is looked for: the record itself has the whole.
    Column("tpp", Text),
    Column("reason", Text),
    Column("certificate", Text),
    Column("seal", Text),
    Column("record", Text, nullable=False),  # the line as the edge wrote it
    Index(None, *_PLACE),
    Index(None, "tpp", *_PLACE),
    Index(None, "reason", *_PLACE),
    Index(None, "certificate", *_PLACE),
    Index(None, "seal", *_PLACE),
    sqlite_autoincrement=True,
)

# How far each audit file has been shipped; in the same transaction as its records.
audit_places = Table(
    "audit_places",
    metadata,
    Column("file", Text, primary_key=True),  # gateway.audit.audit_files
    Column("read_to", BigInteger, nullable=False),
    Column("at", Double, nullable=False),
)

# Accounts at CAs that speak ACME, a key of its own for each; sealed with the key of the documents.
acme_accounts = Table(
    "acme_accounts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("directory", Text, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("url", Text),
    Column("made_at", Double, nullable=False),
)

# How far each certificate of the kind `acme-certificates` has come; its open order, if it has one, with a sealed key.
acme_progress = Table(
    "acme_progress",
    metadata,
    Column("name", Text, primary_key=True),
    Column("wanted", Text, nullable=False),
    Column("tried_at", Double),
    Column("next_try_at", Double),
    Column("leased_until", Double),
    Column("failures", Integer, nullable=False),
    Column("failure", Text),
    Column("obtained_at", Double),
    Column("sha256", Text),
    Column("renew_at", Double),
    Column("ask_at", Double),
    Column("order_directory", Text),
    Column("order_url", Text),
    Column("order_key", LargeBinary),
)

# What the edge answers CAs on plain HTTP (RFC 8555 §8.3), while an order is under way.
acme_challenges = Table(
    "acme_challenges",
    metadata,
    Column("token", Text, primary_key=True),
    Column("answer", Text, nullable=False),
    Column("expires_at", Double, nullable=False),
    Index(None, "expires_at"),
)


def open_gateway_engine(url: str, *, threads: int = 8) -> Engine:
    """Open the database for `threads` threads, at the schema this code knows; raises `DatabaseBehind`, `DatabaseTooNew`."""
    engine = open_engine(url, threads=threads)
    require_current(engine, PACKAGE)
    return engine


def main() -> int:
    """Bring the database that the settings name to the newest schema, with the documents of a start; returns the exit status.

    The documents too, because an edge of its own may not write them (docs/compose.md).
    """
    from chassis.settings import SettingsRefused
    from gateway.config import load_settings

    try:
        settings = load_settings()
    except SettingsRefused as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_UNUSABLE
    return database_command(PACKAGE, settings.database_url) or _documents_of_start(settings)


def _documents_of_start(settings: "GatewaySettings") -> int:
    from gateway.configuration.files import FileRefused
    from gateway.configuration.snapshot import SetRefused
    from gateway.seeds import apply_documents_of_start

    engine = open_gateway_engine(settings.database_url)
    try:
        apply_documents_of_start(engine, settings)
    except (SetRefused, FileRefused) as error:
        sys.stderr.write(f"the gateway's documents: {error}\n")
        return EXIT_UNUSABLE
    finally:
        engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
