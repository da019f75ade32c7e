"""The control API: who may come in, and whom the gateway trusts. For the portal only."""
