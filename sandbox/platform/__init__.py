"""Running the platform: its servers as child processes, their ports, their state, their start and stop."""
