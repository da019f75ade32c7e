"""The control API: TPPs, trust, configuration, keys, the request log and the audit, for the portal and for operators."""
