"""Pages of the reference: signatures of classes that lmoo makes, and the members that are shown."""

from __future__ import annotations

from typing import Any, get_origin

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

import lmoo

# Returned by functions of lmoo: how they are made is no part of the interface.
RETURNED = {
    "lmoo.Fits",
    "lmoo.History",
    "lmoo.Iteration",
    "lmoo.IterationRecord",
    "lmoo.JacobianCheck",
    "lmoo.JointFits",
    "lmoo.Nonlinearity",
    "lmoo.PartResult",
    "lmoo.Result",
    "lmoo.Status",
    "lmoo.StepModel",
    "lmoo.datasets.NistDataset",
    "lmoo.models.Model",
}
# Methods of base classes that have no page.
INHERITED = {"lmoo.Result", "lmoo.Fits", "lmoo.Expression", "lmoo.Iteration", "lmoo.models.Model"}


def hide_signature(
    app: Sphinx,
    what: str,
    name: str,
    obj: object,
    options: Any,
    signature: str | None,
    returns: str | None,
) -> tuple[str, str | None] | None:
    """Write ``Result()`` in place of the arguments with which lmoo makes one."""
    return ("()", returns) if what == "class" and name in RETURNED else None


def public_classes() -> dict[type, str]:
    """Return the classes that have a page, with their names."""
    return {
        value: f"{module.__name__}.{name}"
        for module in (lmoo.models, lmoo)
        for name in module.__all__
        if isinstance(value := getattr(module, name), type)
    }


def public_bases(app: Sphinx, name: str, obj: type, options: Any, bases: list[type | str]) -> None:
    """Show the next public class in place of base classes that have no page."""
    public = public_classes()
    for k, base in enumerate(bases):
        # A generic base class with its parameter is no type.
        base = get_origin(base) or base
        if isinstance(base, type) and base.__module__.startswith("lmoo"):
            bases[k] = next((kind for kind in base.__mro__ if kind in public), object)
    if any(base is not object for base in bases):
        bases[:] = [base for base in bases if base is not object]


def skip_fields(
    app: Sphinx, what: str, name: str, obj: object, skip: bool, options: Any
) -> bool | None:
    """Leave out fields of named tuples, which have no text but that of Python."""
    return True if (getattr(obj, "__doc__", None) or "").startswith("Alias for field") else None


def with_bases() -> set[str]:
    """Return the names of the exceptions, and of the classes with a public base class."""
    public = public_classes()
    return {
        name
        for kind, name in public.items()
        if issubclass(kind, BaseException) or any(base in public for base in kind.__mro__[1:])
    }


def options_of_pages(app: Sphinx, config: Any) -> None:
    """Give the template of classes its lists."""
    config.autosummary_context = {"inherited": INHERITED, "with_bases": with_bases()}


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect them."""
    app.connect("autodoc-process-signature", hide_signature)
    app.connect("autodoc-process-bases", public_bases)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("config-inited", options_of_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
