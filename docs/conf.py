import doctest
import sys
from pathlib import Path

import lmoo

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "lmoo"
author = "The lmoo developers"
copyright = author
release = lmoo.__version__
version = ".".join(release.split(".")[:2])

extensions = [
    "descriptions",
    "mathml",
    "myst_nb",
    "numpydoc",
    "reference",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx_gallery.gen_gallery",
]
# The scripts of the gallery are read by sphinx-gallery, which writes pages and notebooks.
exclude_patterns = [
    "_build",
    "examples",
    "gallery/*.ipynb",
    "sg_execution_times.rst",
    "**/sg_execution_times.rst",
]
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["lmoo.css"]
html_math_renderer = "mathml"

# Notebooks are stored without outputs, and run at every build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 60

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "min_reported_time": 60,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "within_subsection_order": "FileNameSortKey",
}

default_role = "autolink"
language = "en"

html_theme = "furo"
html_title = f"lmoo {release}"
html_copy_source = False
# Colours of code with a contrast of at least 4.5 : 1, in light and in dark mode.
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings tell the types
# lmoo[jax] is large, and its page runs in the tests.
autodoc_mock_imports = ["jax"]
autodoc_preserve_defaults = True
autosummary_generate = True
autosummary_generate_overwrite = True
numpydoc_show_class_members = False  # the pages of classes show their members in full

doctest_test_doctest_blocks = "default"
doctest_default_flags = doctest.ELLIPSIS | doctest.DONT_ACCEPT_TRUE_FOR_1

nitpicky = True
# Parameters and options that docstrings name as `jacobian`: no object has a page under that name.
nitpick_ignore = [
    ("py:obj", name) for name in ("diag", "factor", "jacobian", "maxfev", "params", "sigma")
]
# A magnitude in running text of a docstring, |x_j|, is no substitution of ours to define elsewhere.
rst_epilog = ".. |x_j| replace:: :math:`|x_j|`"


def unrun(app, what, name, obj, options, lines):
    """Show the examples of lmoo[jax], which may not be installed, without running them."""
    if not name.startswith("lmoo.integrations.jax."):
        return
    shown, inside = [], False
    for line in lines:
        if line.startswith(">>>") and not inside:
            shown += [".. code-block:: pycon", ""]
            inside = True
        inside = inside and bool(line.strip())
        shown.append(f"   {line}" if inside else line)
    lines[:] = shown


def setup(app):
    # After numpydoc.
    app.connect("autodoc-process-docstring", unrun, priority=900)
