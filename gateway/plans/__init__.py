"""Usage plans and their subscribers: who may call which deployment, and how often (docs/usage-plans.md)."""
