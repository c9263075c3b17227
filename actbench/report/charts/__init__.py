"""Charts as Vega-Lite specifications: one small file a kind, alone as SVG, PNG or HTML, and together in the report."""
