"""Exit statuses of the command, beside 0 for done and 2 for wrong usage."""

REFUSED, UNREACHABLE = 1, 3
