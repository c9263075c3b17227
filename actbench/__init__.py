"""Microbenchmarks of activation derivatives: re-evaluate the exponential, or reuse the cached activation."""

__version__ = "0.1.0"
