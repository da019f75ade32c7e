"""What every service process stands on: internal mutual TLS, database, files of a home, ports, logs."""
