"""The acceptance suite."""
