"""Documents of the kind `listeners`: which TLS a public listener speaks, within what is safe (RFC 9325 §3, §4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, Field

from gateway.certificates.suites import SAFE_SUITES
from gateway.configuration.bodies import DocumentBody, read_body
from gateway.configuration.model import DocumentRefused, Fault, Kind
from gateway.policies.model import Listener
from gateway.upstreams.model import TlsVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.configuration.model import Document
    from gateway.configuration.snapshot import Snapshot

_LISTENERS: Final = tuple(listener for listener in Listener if listener.speaks_tls)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsRules:
    """Versions, and the suites of TLS 1.2 in the order in which the gateway prefers them; those of TLS 1.3 are all safe."""

    lowest: TlsVersion = TlsVersion.TLS_1_2
    highest: TlsVersion = TlsVersion.TLS_1_3
    suites: tuple[str, ...] = SAFE_SUITES

    def can_show(self, *, is_rsa: bool) -> bool:
        """Whether every version spoken has a suite for certificates with such a key."""
        authentication = "-RSA-" if is_rsa else "-ECDSA-"
        return self.lowest is TlsVersion.TLS_1_3 or any(authentication in suite for suite in self.suites)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerRules:
    """What one listener's document says."""

    listener: Listener
    tls: TlsRules


def _suite(name: str) -> str:
    if name not in SAFE_SUITES:
        msg = f"{name} is not taken: forward secrecy and AEAD are needed, which {', '.join(SAFE_SUITES)} have"
        raise ValueError(msg)
    return name


class TlsRulesBody(DocumentBody):
    """Which TLS is spoken."""

    lowest_version: TlsVersion = TlsVersion.TLS_1_2
    highest_version: TlsVersion = TlsVersion.TLS_1_3
    suites: Annotated[
        list[Annotated[str, AfterValidator(_suite)]] | None,
        Field(
            min_length=1,
            max_length=len(SAFE_SUITES),
            description="of TLS 1.2, the preferred one first",
        ),
    ] = None


class ListenerBody(DocumentBody):
    """How a public listener speaks."""

    tls: TlsRulesBody = TlsRulesBody()


def parse_listener(document: Document) -> ListenerRules:
    """Return what a document says; raises `DocumentRefused` with all that is wrong."""
    body = read_body(ListenerBody, document)
    faults = [*_faults_of_name(document.name), *_faults_of_tls(body.tls)]
    if faults:
        raise DocumentRefused(faults)
    suites = SAFE_SUITES if body.tls.suites is None else tuple(body.tls.suites)
    rules = TlsRules(lowest=body.tls.lowest_version, highest=body.tls.highest_version, suites=suites)
    return ListenerRules(listener=Listener(document.name), tls=rules)


def _faults_of_name(name: str) -> Iterator[Fault]:
    if name not in {listener.value for listener in _LISTENERS}:
        yield Fault("name", f"{name} is no listener with TLS: {', '.join(_LISTENERS)} are")


def _faults_of_tls(tls: TlsRulesBody) -> Iterator[Fault]:
    if tls.lowest_version > tls.highest_version:
        yield Fault("tls.lowest_version", f"{tls.lowest_version} is above highest_version, {tls.highest_version}")
    if tls.suites is not None and tls.lowest_version is TlsVersion.TLS_1_3:
        yield Fault("tls.suites", "are of TLS 1.2, which lowest_version rules out: leave them out")
    if tls.suites is not None and len(set(tls.suites)) < len(tls.suites):
        yield Fault("tls.suites", "one of them is there twice")


def rules_of(snapshot: Snapshot) -> dict[Listener, TlsRules]:
    """Return each listener's rules, of those without a document the usual ones."""
    said = {each.listener: each.tls for each in snapshot.of(LISTENERS).values()}
    return {listener: said.get(listener, TlsRules()) for listener in _LISTENERS}


def _described(listener: ListenerRules, _snapshot: Snapshot) -> Mapping[str, object]:
    return {
        "versions": [each.value for each in TlsVersion if listener.tls.lowest <= each <= listener.tls.highest],
        "suites": list(listener.tls.suites) if listener.tls.lowest is TlsVersion.TLS_1_2 else [],
    }


LISTENERS: Final = Kind(
    name="listeners",
    summary="Which TLS the public listeners speak",
    parse=parse_listener,
    schema=ListenerBody.model_json_schema,
    describe=_described,
)
