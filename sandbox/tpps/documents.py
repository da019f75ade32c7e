"""Certificates as JSON: what the API answers and what `--json` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.ca.model import CertificateRecord, IssuedCertificate


def issued_document(issued: IssuedCertificate) -> dict[str, Any]:
    """Return a certificate just issued, with its private key where it was made here: this once."""
    document: dict[str, Any] = {
        "kind": issued.kind.value,
        "serial": issued.serial,
        "sha256": issued.sha256,
        "not_before": issued.not_before.isoformat(),
        "not_after": issued.not_after.isoformat(),
        "fault": issued.fault.value if issued.fault else None,
        "certificate": issued.bundle,
        "notes": list(issued.notes),
    }
    return document if issued.private_key is None else {**document, "private_key": issued.private_key}


def record_document(record: CertificateRecord) -> dict[str, Any]:
    """Return a certificate as the records know it."""
    return {
        "serial": record.serial,
        "profile": record.profile,
        "tpp": record.tpp,
        "subject": record.subject,
        "sha256": record.sha256,
        "not_before": record.not_before.isoformat(),
        "not_after": record.not_after.isoformat(),
        "status": record.status.value,
        "reason": record.reason.value if record.reason else None,
        "revoked_at": record.revoked_at.isoformat() if record.revoked_at else None,
        "fault": record.fault.value if record.fault else None,
    }
