"""A run in the formats of other tools, one file per format.

Everywhere a case is one benchmark, timed per call and not per element. The times are as measured: the drift of the host
from run to run, which ``actbench check`` cancels, is in them.
"""

from actbench.report.export import asv, asv_directory, benchstat, bmf, github_action_benchmark

__all__ = ["asv", "asv_directory", "benchstat", "bmf", "github_action_benchmark"]
