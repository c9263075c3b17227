"""Output for people and for other programs: one file per format."""
