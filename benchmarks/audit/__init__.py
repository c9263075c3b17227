"""An audit of the activations that torch and jax ship: where their gradients and outputs are wrong, and by how much.

    make audit
    python -m benchmarks.audit [-a ACTIVATION,...] [-d DTYPE,...] [-o DIRECTORY]

It needs torch and jax (the extras of the same names). Every activation that torch or jax has is compared with mpmath,
g' as autograd gives it and y, beside actbench's own. Below the directory, by default ``results/audit``, it writes

    derivative.csv, forward.csv   `actbench accuracy --of ...` in CSV, without bands of z
    findings.csv                  one row per fault, framework, activation, dtype and tail (`findings.Finding`)
    audit.json                    versions, processor, number of points, and seconds
    summary.md                    the page, made from the other four alone: `python -m benchmarks.audit.page`

A finding is in the table only if a call on one number, in a fresh process, shows it as well.
"""
