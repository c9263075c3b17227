"""Loads and stores of blocks of four registers."""

from actbench.backends._simd.register_memory import register_memory

blocks, load, store, parts, load_part, store_part = register_memory(4)
