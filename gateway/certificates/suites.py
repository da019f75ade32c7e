"""The suites of TLS 1.2 that public listeners may speak: ECDHE with AEAD (RFC 9325 §4.2), like all of TLS 1.3."""

from __future__ import annotations

from typing import Final

SAFE_SUITES: Final = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
