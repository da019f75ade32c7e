"""The operator's side of the platform: TPP register, certificate authority, portal and the `sandbox` command."""
