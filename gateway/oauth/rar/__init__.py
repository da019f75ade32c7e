"""Rich authorization requests (RFC 9396): what a TPP wants, said in full instead of by the id of something made before."""
