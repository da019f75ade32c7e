"""Attacks a TPP developer can run against the gateway, each with what it must answer."""
