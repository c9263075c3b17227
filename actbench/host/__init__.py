"""What a run depends on besides actbench: processors, caches, noise, environment variables, library versions."""
