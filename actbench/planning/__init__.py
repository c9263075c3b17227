"""From what the user asks for to a plan: presets, the product of axes, and what it costs."""
