"""What the gateway counts for Prometheus: plain numbers in each worker, published to files, rendered by the control API."""
