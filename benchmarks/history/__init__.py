"""The figures of ``actbench history``: ``python -m benchmarks.history steps|page|releases``."""
