"""`python -m sandbox.cli`."""

from sandbox.cli.root import main

main()
