"""Rates and quotas: how often who may call, exact over all workers and replicas (docs/usage-plans.md)."""
