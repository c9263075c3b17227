"""What the command line and Python have in common, and what only Python has: `open_run`, `measure`, `accuracy`."""
