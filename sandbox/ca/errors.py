"""What the certificate authority refuses, as one tree; `code` is stable and dotted, the message is for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sandbox.ca.lint import Finding


class CertificateAuthorityError(Exception):
    """Anything that the certificate authority refuses or cannot do."""

    code = "ca.error"


class InvalidProfiles(CertificateAuthorityError):
    """The profiles file has a value that makes no sense; the message names file, table and key."""

    code = "ca.profiles"


class HierarchyDamaged(CertificateAuthorityError):
    """A file of the hierarchy is missing, unreadable or does not fit the others; the message names it and the way out."""

    code = "ca.hierarchy"


class HierarchyBusy(CertificateAuthorityError):
    """Another process holds the hierarchy's lock for too long."""

    code = "ca.busy"


class UnknownAuthority(CertificateAuthorityError):
    """No certificate authority has this name, or it publishes no revocations."""

    code = "ca.unknown_authority"


class CsrRefused(CertificateAuthorityError):
    """A certificate signing request that nothing is issued for."""

    def __init__(self, code: str, message: str) -> None:
        """Take a code such as `csr.weak_key` and what to do about it."""
        super().__init__(message)
        self.code = code


class SubjectRefused(CertificateAuthorityError):
    """A TPP's data that no certificate can carry; `field` names which."""

    code = "ca.subject"

    def __init__(self, field: str, message: str) -> None:
        """Name the field and say what would be right."""
        super().__init__(f"{field}: {message}")
        self.field = field


class TooManyCertificates(CertificateAuthorityError):
    """The TPP holds as many valid certificates as it may."""

    code = "ca.too_many"


class IssuingLimitReached(CertificateAuthorityError):
    """The TPP has got as many certificates as it may, for now."""

    code = "ca.limit"

    def __init__(self, message: str, *, retry_at: datetime) -> None:
        """Say when one more will be issued."""
        super().__init__(f"{message}; one more is issued from {retry_at:%Y-%m-%d %H:%M} UTC")
        self.retry_at = retry_at


class FaultUnavailable(CertificateAuthorityError):
    """The fault asked for cannot be made, or makes no sense for this kind of certificate."""

    code = "ca.fault"


class UnknownCertificate(CertificateAuthorityError):
    """No certificate with this serial number was issued here (or not to this TPP)."""

    code = "ca.unknown_certificate"


class NotRevocable(CertificateAuthorityError):
    """The certificate is revoked already, or its issuer publishes no revocations, or the reason is none."""

    code = "ca.not_revocable"


class LintFailed(CertificateAuthorityError):
    """A rehearsed certificate is not as it should be, so it was not signed."""

    code = "ca.lint"

    def __init__(self, message: str, findings: Iterable[Finding] = ()) -> None:
        """Take what was expected and the findings."""
        self.findings = tuple(findings)
        found = "; ".join(f"{finding.code}: {finding.text}" for finding in self.findings)
        super().__init__(f"{message}: {found}" if found else message)
