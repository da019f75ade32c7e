"""Why a download can no longer be fetched."""

from __future__ import annotations

from bank_backend.errors import AccessExceeded, BankError
from psd2.tpp_messages import MessageCode


class ResourceExpired(BankError):
    """The addressed resource is known and no longer available (403)."""

    code = MessageCode.RESOURCE_EXPIRED
    problem_code = "resource.expired"
    title = "The resource has expired"
    fixed_status = 403


class DownloadUsedUp(AccessExceeded):
    """A download that has been fetched often enough (429)."""

    problem_code = "download.used_up"
    title = "The download has been fetched often enough"
