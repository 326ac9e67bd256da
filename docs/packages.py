"""Print the packages of lmoo and their imports as the drawing in CONTRIBUTING.md.

Arrows to a package that a path of several arrows reaches are left out, and so are ``errors`` and
``status``, which every package may import.  With ``--check`` the exit code is 1 unless
CONTRIBUTING.md contains the drawing.
"""

import sys
from pathlib import Path

import grimp

CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"


def imports() -> dict[str, set[str]]:
    """Return the packages that each package imports, without the prefix ``lmoo``."""
    graph = grimp.build_graph("lmoo", cache_dir=None)
    packages = {module for module in graph.find_children("lmoo") if graph.find_children(module)}
    for module in packages:
        graph.squash_module(module)
    return {
        module.removeprefix("lmoo."): {
            found.removeprefix("lmoo.")
            for found in graph.find_modules_directly_imported_by(module) & packages - {module}
        }
        for module in packages
    }


def reachable(arrows: dict[str, set[str]], start: str) -> set[str]:
    """Return the packages that can be reached from a package along arrows."""
    found: set[str] = set()
    ahead = list(arrows[start])
    while ahead:
        package = ahead.pop()
        if package not in found:
            found.add(package)
            ahead += arrows[package]
    return found


def drawing() -> str:
    """Return the drawing in Mermaid's language."""
    arrows = imports()
    lines = [
        f"    {package} --> {target}"
        for package in sorted(arrows)
        for target in sorted(arrows[package])
        if not any(target in reachable(arrows, way) for way in arrows[package] - {target})
    ]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```"])


if __name__ == "__main__":
    print(drawing())
    if "--check" in sys.argv[1:] and drawing() not in CONTRIBUTING.read_text(encoding="utf-8"):
        sys.exit("CONTRIBUTING.md has another drawing; replace it by this one")
