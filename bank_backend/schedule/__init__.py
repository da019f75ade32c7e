"""What the bank does by itself when its time has come: each task exactly once, by its tenant's clock."""
