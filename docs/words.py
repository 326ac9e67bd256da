"""Search names and prose for words that lmoo does not use, each with the word to use instead.

    python docs/words.py [PATH ...]

Prints the lines found and exits with 1 if there are any.  Words in quotation marks of a citation,
and names of MINPACK, are not affected: each pattern is specific enough to have no other use here.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATHS = ("lmoo", "docs", "benchmarks", "README.md", "CONTRIBUTING.md")
SUFFIXES = {".py", ".pyi", ".pyx", ".pxi", ".pxd", ".h", ".inc", ".rst", ".md"}
# Builds are generated.
LEFT_OUT = ("docs/_build", "docs/api/", "docs/gallery/", "docs/words.py")

NAMES = {
    r"\bclass (Part|Tree|Job|Work|Outcome|Fleet|Curves|Starts)\b": "PartialQR, ReductionTree, "
    "Task, BatchData, ChunkResult, SolveBatch, Dataset, InitialGuesses",
    r"\b(curvedata|curvestart|curveoptions)\b": "dataset, initial_guess, options",
    r"\bclass (Unknowns|Values|Thing)\b|\bdef _(is_same|made|kept)\b": "a name that says what "
    "is inside or returned",
    r"def (deviations|spread|position)\b": "standard_errors, prediction_error, parameter_index",
    r"\b(broken_words?|trusting|let_go|eager|nominal)\b": "failed noise-level steps, released, "
    "joint, minpack_compatible",
    r"def _?(weigh|held|confine|promise)\b": "assess, fixed or active, limited by a bound, "
    "relative offset",
    r"(?<!loop)(?<!Loop)\.held\b": "fixed, active",
}
PROSE = {
    r"\b(?:is|are|was|were|be) held (?:at|by|back|there|fast)\b": "fixed, or at an active bound",
    r"\bheld (?:parameters?|at a bound|ones)\b": "fixed parameters, parameters at active bounds",
    r"\blet(?:s|ting)? go\b": "release",
    r"\b(?:nobody|whoever|whomever)\b": "a noun, or the passive voice",
    r"\bdearer\b": "more expensive",
    r"'s (?:own )?affair\b": "decided by",
    r"\bplease\b": "an imperative",
    r"`\w+` (?:is|are) none\b": "is invalid",
    r"\b(?:callee|caller|callback)'s own\b": "a new array, which may be kept or changed",
    r"\bwhat (?:came|comes|has come) of\b": "result",
    r"\b(?:had|has|have) come to\b|\bcame to\b": "result, or reached",
    r"\bto and fro\b": "with alternating signs",
    r"\bone's own\b": "your own",
    r"\b(?:evaluations?|calls?|rows?|solves?) an? (?:curve|row|block|worker|pixel|step)\b": "per",
    r"\bthe best there is\b": "the most accurate",
    r"\bhas a say\b|\bits word is\b|\bbroken word": "a technical term",
    r"\bso does a\b|\bso do the\b": "no inversion",
    # Relative clauses and verbs that make a sentence a riddle.
    r"\b(?:None|nan|empty|(?:Value|Type)Error) where (?:it|that|there|they|one|none)\b": "if",
    r"\blook(?:ed|s)? (?:at|for) (?:where|only|once|again|as)\b": "checked, searched",
    r"\b(?:is|are|not) looked (?:at|for)\b": "checked, searched",
    r"\b(?:models?|those|functions?) that (?:models?|lmoo) knows?\b": "supports",
    r"\bmodels? knows? (?:its|their|the|none)\b": "provides, has",
    r"\bknows? (?:its|their) (?:derivatives|data|terms|loss)\b": "provides, has as attributes",
    r"\bdo(?:es)? not go (?:with|together)\b": "is incompatible with",
    r"(?<!there )\b(?:is|are) no (?:parameter|name|sequence|loss|number|string|function)s?\b": (
        "is not a"
    ),
    r"\b(?:cannot|can) be told (?:apart|from)\b|\b(?:is|are) told (?:by|apart)\b": "distinguished",
    r"\bdoes not tell\b|\bcannot be told\b": "is unknown",
    r"\bmeans? nothing elsewhere\b": "is invalid in another process",
    r"\bthe best that there is\b|\bthan there (?:is|are)\b": "the best available",
    r"\bas (?:the|a) [\w ]{3,24} takes? (?:it|them)\b": "in the form of",
    r"\b(?:is|are|be) handed (?:on|to|over)\b|\bhands? (?:it|them) (?:on|over|to)\b": "passed",
    r"\b(?:where|what|which|at which) (?:it|they|a \w+) stands?\b": "the position of",
    r"\bwhat (?:that|those|these) (?:takes?|are|is|do|does)\b": "a noun",
    r"\bReturn (?:what|how (?:wrong|long|often|many|much))\b": "the value, number or error",
    # The first line of a docstring is a noun phrase, or in the imperative.
    r'"""(?:What|Where|Which|That|Those|How) (?!to\b)': "a noun phrase, or the imperative",
}
PATTERNS = {re.compile(p): use for table in (NAMES, PROSE) for p, use in table.items()}


def files(paths: list[Path]) -> Iterator[Path]:
    """Yield the files to search."""
    for path in paths:
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in found:
            name = file.resolve().relative_to(ROOT).as_posix()
            if file.suffix in SUFFIXES and not name.startswith(LEFT_OUT):
                yield file


def search(file: Path) -> Iterator[tuple[int, str, str]]:
    """Yield the number of each line with such a word, the words found, and what to use instead."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        for pattern, use in PATTERNS.items():
            for match in pattern.finditer(line):
                yield number, match.group(0), use


def main(arguments: list[str]) -> int:
    """Search the files and print what was found."""
    paths = [Path(name) for name in arguments] or [ROOT / name for name in PATHS]
    found = 0
    for file in files(paths):
        for number, words, use in search(file):
            print(f"{file.resolve().relative_to(ROOT)}:{number}: {words!r}: use {use}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
