"""The nouns of actbench, as plain frozen values: names, cases and blocks, plans, checks, times, events."""
