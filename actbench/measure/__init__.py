"""Timing: a conductor that decides everything, and workers that know no policy."""
