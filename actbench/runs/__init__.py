"""Runs on disk: the files that measuring writes and reporting reads."""
