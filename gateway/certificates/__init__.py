"""The gateway's own certificates: kept by name in versions, shown by server name, watched until they expire."""
