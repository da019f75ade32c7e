"""The gateway's control API as its caller sees it: TPPs, clients, trust, the request log (architecture §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from psd2.ncas import NCAS
from sandbox.acting import actor_headers
from sandbox.answers import PeerRefused, require_accepted
from sandbox.tpps.errors import ClientRefused, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chassis.peers import PeerSession
    from sandbox.tpps.model import Tpp

_PEER = "admin"
_NOT_FOUND = 404


class Gateway(Protocol):
    """What this side tells the gateway. Each call is safe to repeat; each raises `PeerUnavailable` or `PeerRefused`."""

    def put_tpp(self, tpp: Tpp, *, blocked: bool) -> None:
        """Register or change a TPP."""

    def put_client(self, tpp: Tpp) -> None:
        """Register or change the TPP's OAuth client; raises `ClientRefused` where it is not one that is taken."""

    def delete_client(self, client_id: str) -> None:
        """Delete a client with its tokens; one that is gone already is fine."""

    def put_trust_store(self, *, anchors: Sequence[str], intermediates: Sequence[str]) -> None:
        """Replace the certificates (PEM) that TPPs' certificates are judged by."""

    def put_crl(self, der: bytes) -> None:
        """Hand over a revocation list."""


class GatewayOverTheWire:
    """The real one."""

    def __init__(self, session: PeerSession) -> None:
        """Call over this session."""
        self._session = session

    def put_tpp(self, tpp: Tpp, *, blocked: bool) -> None:
        """Register or change a TPP."""
        number = tpp.authorisation_number
        body = {
            "name": tpp.organisation,
            "country": number.country,
            "nca_id": number.nca_id,
            "nca_name": NCAS[number.nca_id].name,
            "roles": sorted(tpp.roles),
            "status": "blocked" if blocked else "active",
        }
        self._change("PUT", f"/tpps/{quote(str(number), safe='')}", json=body)

    def put_client(self, tpp: Tpp) -> None:
        """Register or change the TPP's OAuth client; raises `ClientRefused` naming what it does not take."""
        body = {
            "authorisation_number": str(tpp.authorisation_number),
            "name": tpp.organisation,
            "redirect_uris": list(tpp.redirect_uris),
            "profile": tpp.profile.value,
            "token_endpoint_auth_method": "tls_client_auth",
            **tpp.client_metadata,
        }
        try:
            self._change("PUT", f"/clients/{quote(tpp.client_id, safe='')}", json=body)
        except PeerRefused as refusal:
            if refusal.faults:
                raise ClientRefused(tuple(Fault(*fault) for fault in refusal.faults)) from refusal
            raise

    def delete_client(self, client_id: str) -> None:
        """Delete a client with its tokens; one that is gone already is fine."""
        try:
            self._change("DELETE", f"/clients/{quote(client_id, safe='')}")
        except PeerRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise

    def put_trust_store(self, *, anchors: Sequence[str], intermediates: Sequence[str]) -> None:
        """Replace the certificates (PEM) that TPPs' certificates are judged by."""
        body = {"anchors": list(anchors), "intermediates": list(intermediates)}
        self._change("PUT", "/trust-stores/tpp", json=body)

    def put_crl(self, der: bytes) -> None:
        """Hand over a revocation list."""
        self._change("PUT", "/trust-stores/tpp/crl", data=der, headers={"Content-Type": "application/pkix-crl"})

    def log_page(self, query: dict[str, str]) -> dict[str, Any]:
        """Return the newest records of the request log that the query admits."""
        return require_accepted(_PEER, self._session.get("/requests", params=query))

    def log_record(self, request_id: str) -> dict[str, Any] | None:
        """Return one record explained, None where there is none."""
        try:
            return require_accepted(_PEER, self._session.get(f"/requests/{quote(request_id, safe='')}"))
        except PeerRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            return None

    def log_summary(self, query: dict[str, str]) -> dict[str, Any]:
        """Return counts of the request log by time and outcome."""
        return require_accepted(_PEER, self._session.get("/requests/summary", params=query))

    def explain(self, question: dict[str, Any]) -> dict[str, Any]:
        """Return what the gateway would answer to a TPP's request."""
        return require_accepted(_PEER, self._session.post("/explain", json=question))

    def servers(self) -> list[dict[str, Any]]:
        """Return the health of the servers that answer to the gateway alone."""
        servers: list[dict[str, Any]] = require_accepted(_PEER, self._session.get("/servers"))["servers"]
        return servers

    def _change(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> None:  # noqa: ANN401 - handed to the session
        sent = {**(headers or {}), **actor_headers()}
        require_accepted(_PEER, self._session.request(method, path, headers=sent, **options))
