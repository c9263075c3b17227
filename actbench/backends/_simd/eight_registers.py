"""Loads and stores of blocks of eight registers, which prefetch eight blocks ahead, 4 KiB, and store in order.

That suits Zen 5: of 1 and of 4 blocks ahead, and of 16, arrays of 16 to 128 MiB took up to 1.1 times as long. Operands
from memory take 1 to 1.4 times as long with four registers, which do not prefetch.
"""

from actbench.backends._simd.register_memory import register_memory

blocks, load, store, parts, load_part, store_part = register_memory(8, ahead=8)
