"""The search for the commit since which something is slower."""
