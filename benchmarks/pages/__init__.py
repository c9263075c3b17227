"""What the documents quote of the committed runs: `python -m benchmarks.pages` rewrites it in README.md and docs/.

A page has a pair of marks, comments that are not shown, and between them Markdown that a function here computes::

    <!-- begin: sweep -->
    <!-- end: sweep -->

A test of the documents compares what stands there with what is computed.
"""
