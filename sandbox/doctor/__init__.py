"""The certificate doctor: explains any certificate field by field, names its faults, and foretells the gateway's answer."""
