"""Admission: whether a request may pass, decided step by step, and how a refusal looks."""
