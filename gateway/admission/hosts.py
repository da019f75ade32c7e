"""The name that a request is for: one Host, and the same as in TLS (RFC 9112 §3.2, RFC 9110 §7.4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.admission.refusal import Refusal

if TYPE_CHECKING:
    from gateway.admission.request import Request

_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def require_host(request: Request) -> None:
    """Raise 400 unless Host is a name or address with at most a port, 421 unless it is the name given in TLS."""
    if not _HOST.fullmatch(request.host):
        raise Refusal("http.host", "no Host header, or one that is no host name")
    tls = request.connection.tls
    if tls is None or tls.server_name is None:
        return
    name = request.host.partition(":")[0] if not request.host.startswith("[") else request.host
    if name.lower() != tls.server_name.lower():
        # Both stand in the record, without a subscriber's token where that is part of them.
        raise Refusal("tls.sni_host_mismatch", "SNI and Host are different names")
