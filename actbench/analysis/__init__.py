"""What the measurements mean: estimates and speedups, with intervals."""
