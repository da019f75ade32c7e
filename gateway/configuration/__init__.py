"""The gateway's configuration: documents of kinds, stored with their versions, in force on every worker as one snapshot."""
