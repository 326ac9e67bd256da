import doctest

import lmoo

project = "lmoo"
author = "The lmoo developers"
copyright = author
release = lmoo.__version__
version = ".".join(release.split(".")[:2])

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
]
exclude_patterns = ["_build"]

# Notebooks are stored without outputs, and run at every build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 60

default_role = "autolink"
language = "en"

html_theme = "furo"
html_title = f"lmoo {release}"
html_copy_source = False

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings tell the types
# lmoo[jax] is large, and its page runs in the tests.
autodoc_mock_imports = ["jax"]
autodoc_preserve_defaults = True
autosummary_generate = False
numpydoc_show_class_members = False  # api.rst names them

doctest_test_doctest_blocks = "default"
doctest_default_flags = doctest.ELLIPSIS | doctest.DONT_ACCEPT_TRUE_FOR_1

nitpicky = True
# Parameters and options that docstrings name as `jacobian`: no object has a page under that name.
nitpick_ignore = [("py:obj", name) for name in ("diag", "factor", "jacobian", "maxfev", "sigma")]
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
