"""Elementary functions without branches, tables or calls, which LLVM vectorises in a numba loop: import `functions`.

Nothing here imports numba, so that looking for backends stays quick.
"""
