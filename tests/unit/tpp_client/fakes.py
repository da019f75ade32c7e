"""A transport that answers from a script, and answers to put in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from tpp_client.wire import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

ISSUER = "https://localhost:8441"
EDGE = "https://localhost:8443"

METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "introspection_endpoint": f"{ISSUER}/introspect",
    "revocation_endpoint": f"{ISSUER}/revoke",
    "code_challenge_methods_supported": ["S256"],
    "authorization_response_iss_parameter_supported": True,
    "mtls_endpoint_aliases": {
        "token_endpoint": f"{EDGE}/token",
        "introspection_endpoint": f"{EDGE}/introspect",
        "revocation_endpoint": f"{EDGE}/revoke",
        "backchannel_authentication_endpoint": f"{EDGE}/bc-authorize",
    },
}


def answer(status: int, content: object = None, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return a response with a JSON body (or raw bytes), to a request of no importance."""
    body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
    request = HttpRequest(method="GET", url=f"{EDGE}/v1/test")
    return HttpResponse(request=request, status=status, headers=dict(headers or {}), body=body)


class ScriptedTransport:
    """Answers in the order of the script and remembers what it was asked."""

    def __init__(self, *answers: HttpResponse) -> None:
        self._answers = list(answers)
        self.requests: list[HttpRequest] = []

    def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        scripted = self._answers.pop(0)
        return HttpResponse(request=request, status=scripted.status, headers=scripted.headers, body=scripted.body)

    def form(self, index: int = -1) -> dict[str, str]:
        """Return the form fields of a request."""
        return {name: values[0] for name, values in parse_qs((self.requests[index].body or b"").decode()).items()}

    def json(self, index: int = -1) -> object:
        """Return the JSON body of a request."""
        return json.loads(self.requests[index].body or b"null")
