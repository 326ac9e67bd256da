"""The report as a page of HTML, a single file that needs no network."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from lmoo.results.fit import Fit
from lmoo.results.labels import axis_labels
from lmoo.results.report.content import Content, content_of
from lmoo.results.report.escaping import html_text, visible
from lmoo.results.report.markup import (
    correlation_matrix,
    facts_table,
    folded,
    parameter_table,
    verdict_line,
    warning_list,
)
from lmoo.results.report.pictures import Picture, pictures_of

# Longest title, in characters.
_LONGEST = 60
_STYLE = """\
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #ffffff; color: #1b1f23; line-height: 1.5;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.25rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.5rem 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem; padding-bottom: 0.2rem;
  border-bottom: 1px solid #d0d7de; }
figure { margin: 1rem 0; }
figure img { max-width: 100%; height: auto; display: block; }
figcaption, footer { color: #57606a; font-size: 0.9rem; }
footer { margin-top: 2.5rem; border-top: 1px solid #d0d7de; padding-top: 0.5rem; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
  gap: 1rem; }
@media print {
  main { max-width: none; padding: 0; }
  figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""


class Section(NamedTuple):
    """A part of the page: its heading and its HTML, "" if it has none."""

    title: str
    body: str


def write_page(
    result: Fit, path: "str | PathLike[str]", title: str | None, overwrite: bool
) -> None:
    """Write the page of a result; see `Result.to_html`."""
    write_new(path, lambda: page(result, title), overwrite)


def write_new(path: "str | PathLike[str]", text: Callable[[], str], overwrite: bool) -> None:
    """Write a text, which is made after the check that the file does not exist."""
    target = Path(path)
    if not overwrite and target.exists():
        raise FileExistsError(
            f"path must be the name of a new file, or overwrite=True; {visible(str(target))} exists"
        )
    made = text()
    # "x" refuses a file that has been made since.
    with target.open("w" if overwrite else "x", encoding="utf-8") as file:
        file.write(made)


def page(result: Fit, title: str | None = None) -> str:
    """Return the page of a result.

    Parameters
    ----------
    result : Fit
    title : str, optional
        None: the model.
    """
    content = content_of(result)
    pictures, hint = pictures_of(result)
    sections = (
        Section("Result", verdict_line(content) + facts_table(content.subject)),
        Section("Parameters", parameter_table(content)),
        Section("Warnings", warning_list(content)),
        Section("Plots", figures(pictures, hint)),
        Section("Quality of the fit", facts_table(content.goodness)),
        Section("Correlations", _correlations(content)),
        Section("Computation", folded("Details", facts_table(content.details))),
    )
    return html_page(_title(result, content) if title is None else title, sections)


def html_page(title: str, sections: Sequence[Section]) -> str:
    """Return a page of these sections; those without a body are left out."""
    shown = html_text(title)
    body = "\n".join(
        f"<section>\n<h2>{part.title}</h2>\n{part.body}\n</section>"
        for part in sections
        if part.body
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{shown}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{shown}</h1>\n{body}\n<footer>{html_text(_made_with())}</footer>\n"
        "</main>\n</body>\n</html>\n"
    )


def _title(result: Fit, content: Content) -> str:
    """Return the model or the problem, or what was measured if that is long."""
    text = content.subject[0][1] if content.subject else "a result"
    if len(text) > _LONGEST:
        x, y = axis_labels(result)
        text = f"{y} against {x}"
    return f"Fit of {text}"


def _correlations(content: Content) -> str:
    return "" if content.correlations is None else correlation_matrix(content.correlations)


def figures(pictures: Sequence[Picture], hint: str) -> str:
    """Return the plots as images within the page, and the sentence about missing ones."""
    shown = [
        f'<figure><img src="data:image/png;base64,{b64encode(picture.png).decode()}" '
        f'alt="{html_text(picture.alt)}" width="{picture.width}" height="{picture.height}">'
        f"<figcaption>{html_text(picture.alt)}</figcaption></figure>"
        for picture in pictures
    ]
    return "\n".join([*shown, f"<p>{html_text(hint)}</p>"] if hint else shown)


def _made_with() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"Fitted with lmoo {version('lmoo')}."
    except PackageNotFoundError:
        return "Fitted with lmoo."
