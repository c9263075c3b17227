"""What a run depends on beside actbench: processors, caches, noise, environment variables, library versions."""
