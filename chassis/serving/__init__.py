"""What a server of the platform stands on: its listener and threads, who may call it, how much it takes at a time."""
