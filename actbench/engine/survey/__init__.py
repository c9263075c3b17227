"""Surveys of the accuracy of kernels, over many z."""
