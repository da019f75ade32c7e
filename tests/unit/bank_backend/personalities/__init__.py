"""Tests of the bank's personalities."""
