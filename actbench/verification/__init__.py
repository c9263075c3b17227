"""Whether kernels are right: the oracle, the truth that it holds them to, and how they behave when called."""
