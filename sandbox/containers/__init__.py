"""What servers that run apart, each in a container of its own, need beforehand: passwords, databases, their own keys."""
