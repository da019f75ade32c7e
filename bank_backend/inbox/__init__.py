"""The PSU's inbox: where the sandbox delivers what a phone would receive."""
