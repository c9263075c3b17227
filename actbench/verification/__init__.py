"""Verification of kernels: the oracle, the exact values that it compares with, and checks of behaviour in calls."""
