"""Charts as Vega-Lite specifications, one small file per kind: alone as SVG, PNG or HTML, together in the report."""
