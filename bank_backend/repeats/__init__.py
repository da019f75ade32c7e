"""Requests that come in twice: what the first has made answers the second."""
