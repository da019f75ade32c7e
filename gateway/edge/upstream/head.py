"""What an internal server gets of a request, and the client of its reply: the edge's own word in the place of claims.

The header fields that carry identity inside are those of docs/architecture.md §3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from chassis.told import signatures, vouched_certificates
from chassis.told.refusals import ToldRefusal
from gateway.admission.roles import granted_roles
from gateway.admission.tracing import own_step
from gateway.dpop.rule import NONCE_HEADER, NonceRule
from gateway.edge.answer_fields import AnswerFields
from gateway.edge.client_head import ORDINARY_CONNECTION, named_hop_by_hop
from gateway.edge.upstream.reply_heads import FAULT_ORDER, KEPT_ALIVE, TOLD_REFUSAL
from gateway.plans.tokens import Bearing, taken_out
from psd2.roles import format_roles

if TYPE_CHECKING:
    from gateway.admission.admit import Admission
    from gateway.admission.request import Connection, Request
    from gateway.admission.signatures import SignatureVerdict
    from gateway.admission.tokens import AccessToken
    from gateway.edge.client_head import ClientHead
    from gateway.edge.upstream.reply_heads import ReplyHead
    from gateway.policies.model import Route
    from gateway.register.model import Tpp
    from gateway.trust.verdict import Trusted

_REPLY_DROPPED: Final = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"te", b"trailer", b"transfer-encoding",
        b"upgrade", b"server", b"x-sandbox-request", TOLD_REFUSAL, FAULT_ORDER,
    }
)  # fmt: skip
# Of proofs that come with no token the authorization server is the judge.
_NONCE_LINES: Final = {rule: f"{NONCE_HEADER.lower()}: {rule}\r\n".encode("ascii") for rule in NonceRule}
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


def upstream_head(
    request: Request,
    head: ClientHead,
    admission: Admission,
    signature: SignatureVerdict | None = None,
    *,
    host: bytes | None = None,
) -> bytes:
    """Return the head that an internal server gets; `signature` is the verdict on a request that bears one.

    `host` takes the place of the client's Host.
    """
    parts = _passed_on(request, head, admission, host)
    parts.append(b"x-sandbox-request: %b\r\n" % request.id.encode("ascii"))
    parts.append(Identity.of(request.connection, admission).lines)
    if admission.route is not None and admission.route.dpop_nonce is not None:
        parts.append(_NONCE_LINES[admission.route.dpop_nonce])
    if signature is not None:
        parts.append(_signature_line(signature))
    parts.append(b"\r\n")
    return b"".join(parts)


def foreign_head(request: Request, head: ClientHead, admission: Admission, *, host: bytes | None) -> bytes:
    """Return the head that a server outside gets: nothing of what the edge knows about whom it serves."""
    return b"".join([*_passed_on(request, head, admission, host), b"\r\n"])


def _passed_on(request: Request, head: ClientHead, admission: Admission, host: bytes | None) -> list[bytes]:
    """Return what any server gets: the client's own words, sorted out."""
    same = _SameWords.of(request, head, admission, host)
    parts = [same.before, b"traceparent: %b\r\n" % str(own_step(request)).encode("ascii")]
    if head.tracestate is not None and request.trace is not None:
        parts.append(b"tracestate: %b\r\n" % head.tracestate)  # without the trace it belongs to, it says nothing
    if head.request_id is not None:
        parts.append(b"x-request-id: %b\r\n" % head.request_id)
    parts.append(same.behind)
    return parts


@dataclass(frozen=True, slots=True)
class _SameWords:
    """What goes on of a head, but for what is new with each request; the same as long as the head is (`HeadMemory`)."""

    lines: list[bytes]
    method: str
    path: str
    query: bytes
    host: bytes | None
    route: Route | None
    token: AccessToken | None
    before: bytes
    behind: bytes

    @staticmethod
    def of(request: Request, head: ClientHead, admission: Admission, host: bytes | None) -> _SameWords:
        """Return the words of this request, those of the connection's last one where it said the same."""
        known = request.connection.memory.get(_SameWords)
        if isinstance(known, _SameWords) and known.are_of(request, head, admission, host):
            return known
        passed = _without_subscriber_token(request, head, admission)
        before, behind = _before(request, passed, host), _behind(request, head, passed, admission)
        same = request.connection.memory[_SameWords] = _SameWords(
            head.lines, request.method, request.path, request.query, host, admission.route, admission.token, before, behind
        )
        return same

    def are_of(self, request: Request, head: ClientHead, admission: Admission, host: bytes | None) -> bool:
        """Whether the very same head goes on by the same route. Its lines are one object as long as it is repeated."""
        return (
            self.lines is head.lines
            and self.route is admission.route
            and self.token is admission.token
            and self.host == host
            and self.path == request.path
            and self.query == request.query
            and self.method == request.method
        )


def _before(request: Request, passed: Bearing, host: bytes | None) -> bytes:
    target = passed.path.encode("ascii") + (b"?" + passed.query if passed.query else b"")
    line = b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (request.method.encode("ascii"), target, host or passed.host)
    return b"".join([line, *passed.lines])


def _behind(request: Request, head: ClientHead, passed: Bearing, admission: Admission) -> bytes:
    parts = []
    if head.content_type is not None:
        parts.append(b"content-type: %b\r\n" % head.content_type)
    if passed.authorization is not None and admission.token is None:
        # Where the edge has judged a token, nobody behind it needs the token itself.
        parts.append(b"authorization: %b\r\n" % passed.authorization)
    if head.is_chunked:
        parts.append(b"transfer-encoding: chunked\r\n")
    elif head.content_length or request.method in _METHODS_WITH_BODY:
        parts.append(b"content-length: %d\r\n" % head.content_length)
    return b"".join(parts)


def _without_subscriber_token(request: Request, head: ClientHead, admission: Admission) -> Bearing:
    """Return what of the request goes on: a subscriber's token is nothing that the server has to know."""
    bearing = Bearing(request.path, request.query, head.host or b"", head.authorization, head.lines)
    route = admission.route
    return bearing if route is None else taken_out(route.plan, route.template, bearing).rest


def _signature_line(verdict: SignatureVerdict) -> bytes:
    """Return what the server is told of the signature: that it is valid, or why not, in the words of the refusal."""
    refusal, value = verdict.refusal, signatures.VALID
    if refusal is not None:
        ground = refusal.ground
        # It may quote the request: what would end a line, or be unreadable further on, is not repeated.
        text = "".join(character if character.isprintable() else "?" for character in refusal.public_text)
        told = ToldRefusal(reason=refusal.reason, text=text, hint=refusal.hint, clause=ground.clause)
        value = signatures.fault_header(signatures.SignatureFault(refusal.code, told))
    return f"{signatures.HEADER.lower()}: {value}\r\n".encode("ascii")


@dataclass(frozen=True, slots=True)
class Identity:
    """What the edge has established about whom it serves, as header lines; the same as long as that is the same."""

    trusted: Trusted | None
    tpp: Tpp | None
    token: AccessToken | None
    lines: bytes

    @staticmethod
    def of(connection: Connection, admission: Admission) -> Identity:
        """Return the lines of this admission, those of the connection's last one where nothing has changed."""
        known = connection.memory.get(Identity)
        if isinstance(known, Identity) and known.is_of(admission):
            return known
        lines = _identity_lines(connection, admission)
        identity = connection.memory[Identity] = Identity(admission.trusted, admission.tpp, admission.token, lines)
        return identity

    def is_of(self, admission: Admission) -> bool:
        """Whether the very same things were established."""
        return self.token is admission.token and self.tpp is admission.tpp and self.trusted is admission.trusted


def _identity_lines(connection: Connection, admission: Admission) -> bytes:
    fields = [("x-sandbox-listener", connection.listener.value), ("x-sandbox-address", connection.address)]
    trusted = admission.trusted
    if trusted is not None and trusted.vouched is not None:
        fields.append((vouched_certificates.HEADER.lower(), trusted.vouched.value))
    if admission.tpp is not None and trusted is not None and trusted.vouched is not None:
        fields += [
            ("x-sandbox-tpp", admission.tpp.authorisation_number),
            ("x-sandbox-roles", format_roles(granted_roles(trusted, admission.tpp))),
        ]
    token = admission.token
    if token is not None:
        fields += [("x-sandbox-client", token.client_id), ("x-sandbox-scope", token.scope)]
        if token.subject is not None:
            fields.append(("x-sandbox-subject", token.subject))
    lines = "".join([f"{name}: {_plain(value)}\r\n" for name, value in fields]).encode("ascii")
    if connection.leaf is not None and trusted is not None:
        lines += b"client-cert: " + connection.leaf.client_cert + b"\r\n"
    return lines


def _plain(value: str) -> str:
    """Return a value that cannot end its line, whatever somebody managed to register."""
    return value if value.isascii() and value.isprintable() else quote(value, safe="")


def passed_fields(reply: ReplyHead) -> AnswerFields:
    """Return what of a reply goes on to the client: nothing hop-by-hop, and the edge's own name as the server's."""
    if not reply.passed:
        passed = [field for field in reply.fields if field[0] not in _REPLY_DROPPED]
        connection = reply.own.get(b"connection")
        if connection is not None and connection != KEPT_ALIVE:
            named = named_hop_by_hop(connection)
            if not named <= ORDINARY_CONNECTION:
                passed = [field for field in passed if field[0] not in named]
        reply.passed.append(AnswerFields([*passed, (b"server", b"gateway")]))
    return reply.passed[0]


def new_fields(reply: ReplyHead, request: Request) -> list[tuple[bytes, bytes]]:
    """Return what no other reply has in common with this one: the ids of the request."""
    fields = [(b"x-sandbox-request", request.id.encode("ascii"))]
    if reply.request_id is not None:
        fields.append((b"x-request-id", reply.request_id))
    return fields
