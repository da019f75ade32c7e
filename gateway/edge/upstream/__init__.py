"""Connections to the servers behind the edge: pools of them, what is asked over one, and how its reply is read."""
