"""Timing: a conductor that makes all decisions, and workers that make none."""
