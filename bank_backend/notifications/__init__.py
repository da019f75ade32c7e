"""Lean push: changes of status are sent to the TPP instead of being asked for (Resource Status Notification Service 1.0)."""
