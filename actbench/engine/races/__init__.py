"""Races between strategies, for a recommendation."""
