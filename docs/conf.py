"""How Sphinx builds these pages: `make docs`. Everything it needs is here or in the environment; nothing is fetched."""

from __future__ import annotations

import sys
from pathlib import Path

import actbench

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]  # what is ours: extensions, and benchmarks, which computes tables

project = "actbench"
author = "The actbench developers"
project_copyright = author
version = release = actbench.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click"]
extensions += ["dark_pictures", "generated_pages", "notebooks", "outside_files", "plain_help"]  # of docs/_ext
exclude_patterns = ["_ext"]

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3

smartquotes = False

nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!actbench\.\w+$).*")]  # only the public names have a page
autodoc_member_order = "bysource"
autodoc_typehints = "description"

html_theme = "furo"
html_title = f"actbench {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_js_files = [("keyboard.js", {"defer": "defer"})]
html_copy_source = False
html_show_sphinx = False
