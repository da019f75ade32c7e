"""`gateway`: the gateway's configuration and audit from the command line, over the control API's mutual TLS."""

from gateway.cli.root import main

__all__ = ["main"]
