"""What the authorization server keeps: requests under way, codes, tokens, grants; each secret only as its SHA-256."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Index, Integer, Table, Text, false

from gateway.tables.base import metadata

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
    Column("grant_action", Text),  # create, merge, replace; null where the client manages no grants
    Column("grant_id", Text),  # the one to be changed
    Column("merges", Text),  # the scope of the consent that is part of this one
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
    Column("browser_sha256", Text),  # of the cookie of the browser that has come with it: no other may
    Column("claimed_at", Double),  # when that was; with it whoever begins proves to be the one who came then
    Column("begun_as", Text),  # the one authorization request that was begun for it
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
    Column("merges", Text),  # the scope that the grant must have still
    Index(None, "request_sha256", unique=True),
    Index(None, "client_id"),
    Index(None, "expires_at"),
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
    Column("grant_action", Text),  # as of authorization requests
    Column("grant_id", Text),
    Column("merges", Text),
    Column("polled_at", Double),
    Column("ping", Text),  # what the client's endpoint is told, sealed
    Column("ping_at", Double),
    Column("pings", Integer, nullable=False),
    Index(None, "client_id"),
    Index(None, "ping_at"),
    Index(None, "expires_at"),
)
