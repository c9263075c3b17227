"""Analysis of the measurements: estimates, speedups, verdicts and crossovers, with intervals."""
