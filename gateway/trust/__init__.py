"""Whom the gateway trusts: trust anchors, CRLs, blocked certificates, and the judgement of a certificate by them."""
