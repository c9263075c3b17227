import numpy as np
from actbench import kernel

mine = kernel("silu", "mine")(np.multiply)
again = kernel("silu", "mine")(np.multiply)
