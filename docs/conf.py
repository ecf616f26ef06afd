"""How Sphinx makes the documentation site of these pages: `make docs`."""

from importlib.metadata import version as version_of

project = "durabase"
author = "the durabase authors"
release = version = version_of("durabase")

extensions = ["myst_parser"]
myst_heading_anchors = 4  # as on the repository's web view
exclude_patterns = ["images"]
nitpicky = True

html_theme = "furo"
html_title = "durabase"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#00697f", "color-brand-content": "#00697f"},
    "dark_css_variables": {"color-brand-primary": "#4cc3dc", "color-brand-content": "#4cc3dc"},
}
