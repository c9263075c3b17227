"""The limits of this processor, measured through numba; imported only on request."""
