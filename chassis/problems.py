"""Problem details for APIs that are not Berlin Group's (RFC 9457)."""

from __future__ import annotations

CONTENT_TYPE = "application/problem+json"


def problem(status: int, code: str, title: str, detail: str, **extra: object) -> dict[str, object]:
    """Return the body of a problem; `code` is the stable name a program may branch on."""
    return {"type": "about:blank", "status": status, "code": code, "title": title, "detail": detail, **extra}
