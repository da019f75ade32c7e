"""Payments as ISO 20022 messages: pain.001 read and judged, pain.002 written (BG IG 1.3.8 §5.3.2, §5.4)."""
