"""What this processor can do at most, measured through numba; imported only where that is requested."""
