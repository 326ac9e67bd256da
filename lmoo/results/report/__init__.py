"""The report of a result: what it says, as text, HTML, LaTeX and Markdown."""
