"""Reads documents of the kind `upstreams`: all that is wrong with one is told at once."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from chassis.addresses import Address
from gateway.configuration.bodies import read_body
from gateway.configuration.model import DocumentRefused, Fault
from gateway.policies.names import NamePattern
from gateway.trust.authorities import fault_of_authority, fault_of_time
from gateway.trust.pem import UnreadablePem, read_certificates
from gateway.upstreams.bodies import TlsBody, UpstreamBody
from gateway.upstreams.model import BUILT_IN, ClientCertificate, Health, Proof, Times, Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gateway.configuration.model import Document

_LEAST_PINS = 2
_HTTPS = 443


def parse(document: Document) -> Upstream:
    """Return what a document says; raises `DocumentRefused` with all that is wrong."""
    body = read_body(UpstreamBody, document)
    faults = [
        *_faults_of_service(document.name, body),
        *_faults_of_targets(body),
        *_faults_of_tls(body.tls),
        *_faults_of_certificates(body),
    ]
    if faults:
        raise DocumentRefused(faults)
    return _upstream(document.name, body)


def untimely(upstream: Upstream, now: datetime) -> Iterator[Fault]:
    """Yield what must not be written now: authorities that have expired."""
    for place, pem in enumerate(upstream.proof.authorities if upstream.proof else ()):
        for certificate in read_certificates(pem, most_characters=len(pem)):
            fault = fault_of_time(certificate, now)
            if fault is not None:
                yield Fault(f"tls.authorities[{place}]", f"{certificate.subject.rfc4514_string()} {fault}")


def _upstream(name: str, body: UpstreamBody) -> Upstream:
    targets = tuple(Address(each.host, each.port) for each in body.targets)
    return Upstream(
        name=name,
        description=body.description,
        targets=targets,
        service=body.service,
        proof=_proof(body.tls) if body.tls else None,
        client_certificates=tuple(
            ClientCertificate(
                name=each.stored or each.certificate or "",
                is_stored=each.stored is not None,
                hosts=tuple(NamePattern.parse(host) for host in each.hosts),
                port=each.port,
            )
            for each in body.client_certificates
        ),
        passes_identity=body.pass_identity or body.service is not None,
        host=None if body.service else _host(body, targets[0]),
        balancing=body.balancing,
        retries=body.retries,
        times=Times(**body.seconds.model_dump()),
        health=Health(**body.health.model_dump()),
        connections=body.connections,
    )


def _proof(tls: TlsBody) -> Proof:
    return Proof(
        authorities=tuple(tls.authorities),
        system_authorities=tls.system_authorities,
        server_name=tls.server_name,
        pins=frozenset(base64.b64decode(pin) for pin in tls.pins),
        lowest=tls.lowest_version,
        highest=tls.highest_version,
    )


def _host(body: UpstreamBody, first: Address) -> bytes:
    name = body.host or (body.tls.server_name if body.tls else None) or first.host
    shown = f"[{name}]" if ":" in name else name
    return (shown if first.port == _HTTPS else f"{shown}:{first.port}").encode("ascii")


def _faults_of_service(name: str, body: UpstreamBody) -> Iterator[Fault]:
    if name in BUILT_IN and body.service != name:
        yield Fault("service", f"{name} is an internal service: write service = {name!r}, or choose another name")
    if body.service is None:
        if body.tls is None:
            yield Fault("tls", "say which CAs vouch for the targets: authorities, or system_authorities = true")
        return
    if body.service == name or name not in BUILT_IN:
        given = {"tls": body.tls, "client_certificates": body.client_certificates, "host": body.host}
        for field, value in given.items():
            if value:
                yield Fault(field, "leave it out: with an internal service the internal certificates prove both sides")


def _faults_of_targets(body: UpstreamBody) -> Iterator[Fault]:
    seen: set[tuple[str, int]] = set()
    for place, target in enumerate(body.targets):
        if (target.host.lower(), target.port) in seen:
            yield Fault(f"targets[{place}]", f"{target.host}:{target.port} is there twice")
        seen.add((target.host.lower(), target.port))
    names_one_host = body.host or body.service or (body.tls is not None and body.tls.server_name)
    if not names_one_host and len({host for host, _ in seen}) > 1:
        yield Fault("host", "the targets have different hosts: say which Host header they get, or tls.server_name")


def _faults_of_tls(tls: TlsBody | None) -> Iterator[Fault]:
    if tls is None:
        return
    if not tls.authorities and not tls.system_authorities:
        yield Fault("tls.authorities", "nobody may vouch for the targets: name CAs, or set system_authorities = true")
    if tls.lowest_version > tls.highest_version:
        yield Fault("tls.lowest_version", f"{tls.lowest_version} is above highest_version, {tls.highest_version}")
    if tls.pins and len(set(tls.pins)) < _LEAST_PINS:
        yield Fault("tls.pins", "one pin alone would cut the upstream off with its next key: add the pin of a backup key")
    for place, pem in enumerate(tls.authorities):
        yield from _faults_of_authorities(pem, f"tls.authorities[{place}]")


def _faults_of_authorities(pem: str, field: str) -> Iterator[Fault]:
    try:
        certificates = read_certificates(pem, most_characters=len(pem))
    except UnreadablePem as error:
        yield Fault(field, str(error))
        return
    for certificate in certificates:
        fault = fault_of_authority(certificate)
        if fault is not None:
            yield Fault(field, fault)


def _faults_of_certificates(body: UpstreamBody) -> Iterator[Fault]:
    for place, each in enumerate(body.client_certificates):
        if (each.stored is None) == (each.certificate is None):
            problem = "name one of the two: stored (a document of certificates), or certificate (files in certs/upstreams)"
            yield Fault(f"client_certificates[{place}].stored", problem)
        patterns = [NamePattern.parse(host) for host in each.hosts]
        fits = any(
            each.port in {None, target.port} and any(pattern.matches(target.host) for pattern in patterns)
            for target in body.targets
        )
        if not fits:
            yield Fault(f"client_certificates[{place}].hosts", "none of the targets is meant by it")
