"""Tests of bank_backend.schedule."""
