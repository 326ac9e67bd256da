"""The report of a result, as text, HTML, LaTeX and Markdown."""
