"""The documentation site: ``make site`` builds it with warnings as errors, without network."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "matcalc"
author = "matcalc contributors"
copyright = author  # the name that Sphinx reads
extensions = ["myst_parser", "formulas"]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "matcalc"
html_static_path = ["_static"]
html_math_renderer = "matcalc"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
nitpicky = True
# The pages say python where they show code that this Python runs, console for a shell, and matcalc for the language.
highlight_language = "text"
suppress_warnings: list[str] = []
