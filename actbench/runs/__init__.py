"""A run on disk: what is written while measuring, and what reporting reads."""
