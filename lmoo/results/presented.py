"""A solved problem with its reports and plots."""

from dataclasses import dataclass
from os import PathLike
from typing import Any

from lmoo.problems.kinds import is_joint
from lmoo.results.stored import StoredFit


# The methods of the dataclass are inherited; generating them again would slow down `import lmoo`.
@dataclass(frozen=True, eq=False, init=False, repr=False)
class PresentedFit(StoredFit):
    """A `Fit` with the methods of `lmoo.Result` that present it."""

    # ---- reports ------------------------------------------------------------------------------

    def report(self, nonlinearity: bool = False, details: bool = False) -> str:
        """Return the report as text, which is also ``str(result)``.

        Parameters
        ----------
        nonlinearity : bool, default False
            Add a sentence about the reliability of linear standard errors, see `nonlinearity`.
        details : bool, default False
            Add how the solution was computed: evaluations, tolerances, derivatives, norms.

        Returns
        -------
        str
            The verdict first; then model and data, the parameters with standard errors and 95 %
            intervals, the quality of the fit, correlations above 0.1, and warnings.  The report of
            a fit that has not converged has neither errors nor intervals.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> t = np.arange(12.0)
        >>> result = lmoo.fit("a + b*t", t, 1 + 2*t + np.cos(5*t))
        >>> print(result.report())  # doctest: +ELLIPSIS
        Converged: a minimum was found (status ...)
          ...
        <BLANKLINE>
          model                       a + b*t
          data                        12 points, y against t
        <BLANKLINE>
          parameter  value  standard error  relative   95 % interval  start
          a           1.09         +- 0.42      38 %    0.16 .. 2.01      1
          b          2.002        +- 0.064     3.2 %  1.859 .. 2.145      1
        ...
        """
        from lmoo.results.report.content import content_of
        from lmoo.results.report.text import text

        sentence = str(self._nonlinearity()) if nonlinearity else ""
        return text(content_of(self, sentence), details)

    def _nonlinearity(self) -> Any:
        """Return the nonlinearity; a subclass may refuse it."""
        return self.nonlinearity()  # type: ignore[attr-defined]

    def __str__(self) -> str:
        return self.report()

    def _repr_html_(self) -> str:
        """Return the report for notebooks."""
        from lmoo.results.report.content import content_of
        from lmoo.results.report.markup import fragment

        return fragment(content_of(self))

    def to_latex(self, *, caption: str | None = None, label: str | None = None) -> str:
        r"""Return the parameters as a table of LaTeX, which needs no package.

        Parameters
        ----------
        caption : str, optional
            LaTeX code.  None: the verdict, model and data, the quality of the fit, what the errors
            follow from, and warnings.
        label : str, optional
            A label for references to the table.

        Returns
        -------
        str
            An environment ``table`` with a ``tabular``; names are escaped.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> t = np.arange(12.0)
        >>> result = lmoo.fit("a + b*t", t, 1 + 2*t + np.cos(5*t))
        >>> print(result.to_latex(caption="A line."))
        \begin{table}[htbp]
          \centering
          \caption{A line.}
          \begin{tabular}{lrrrrr}
            \hline
            Parameter & Value & Standard error & Relative & 95 \% interval & Start \\
            \hline
            a & $1.09$ & $\pm 0.42$ & 38 \% & $0.16 \ldots 2.01$ & $1$ \\
            b & $2.002$ & $\pm 0.064$ & 3.2 \% & $1.859 \ldots 2.145$ & $1$ \\
            \hline
          \end{tabular}
        \end{table}
        """
        from lmoo.results.report.content import content_of
        from lmoo.results.report.latex import latex

        return latex(content_of(self), caption, label)

    def to_markdown(self, *, details: bool = False) -> str:
        """Return the report as Markdown.

        Parameters
        ----------
        details : bool, default False
            As for `report`.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> t = np.arange(12.0)
        >>> result = lmoo.fit("a + b*t", t, 1 + 2*t + np.cos(5*t))
        >>> for line in result.to_markdown().splitlines():
        ...     if "±" in line:
        ...         print(line)
        | a | 1.09 | ± 0.42 | 38 % | 0.16 .. 2.01 | 1 |
        | b | 2.002 | ± 0.064 | 3.2 % | 1.859 .. 2.145 | 1 |
        """
        from lmoo.results.report.content import content_of
        from lmoo.results.report.markdown import markdown

        return markdown(content_of(self), details)

    def to_html(
        self, path: "str | PathLike[str]", *, title: str | None = None, overwrite: bool = False
    ) -> None:
        """Write the report with its plots as a page of HTML, a single file.

        Parameters
        ----------
        path : str or path
            Name of the file.
        title : str, optional
            Title of the page.  None: the model.
        overwrite : bool, default False
            Whether a file that exists is overwritten.

        Raises
        ------
        FileExistsError
            The file exists, and `overwrite` is false.

        Notes
        -----
        The page needs no network.  Without matplotlib it has no plots, and says how to install it.

        Examples
        --------
        >>> import tempfile, numpy as np, lmoo
        >>> t = np.arange(12.0)
        >>> result = lmoo.fit("a + b*t", t, 1 + 2*t + np.cos(5*t))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result.to_html(f"{folder}/line.html", title="A line")
        """
        from lmoo.results.report.page import write_page

        write_page(self, path, title, overwrite)

    # ---- plots ------------------------------------------------------------------------------

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Plot data, fit and bands, with the residuals below; see `lmoo.plotting.plot`.

        Of a joint fit the first 12 problems are plotted; `ax` then is a list of Axes, one for each
        problem, and this list is returned.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> t = np.linspace(0, 4, 30)
        >>> result = lmoo.fit("a*exp(-b*t)", t, 2 * np.exp(-t) + 0.05 * np.cos(9 * t))
        >>> above, below = result.plot(xlabel="time (s)")
        """
        if is_joint(self.problem):
            from lmoo.results.jointplots import plot_parts

            part: Any = self.part  # type: ignore[attr-defined]
            return plot_parts(part, len(self.problem.problems), ax, **options)
        from lmoo.results.plotting import plot

        return plot(self, ax, **options)

    def plot_profile(self, j: int | str, ax: Any = None, **options: Any) -> Any:
        """Plot the profile of a parameter; see `lmoo.plotting.plot_profile`.

        Examples
        --------
        >>> import lmoo
        >>> from lmoo.datasets import nist
        >>> data = nist("DanWood")
        >>> ax = lmoo.Solver().solve(data, data.starts[1]).plot_profile("b2", level=0.9)
        """
        from lmoo.results import profileplots

        return profileplots.plot_profile(self, j, ax, **options)

    def plot_contour(self, i: int | str, j: int | str, ax: Any = None, **options: Any) -> Any:
        """Plot the joint regions of two parameters; see `lmoo.plotting.plot_contour`.

        Examples
        --------
        >>> import lmoo
        >>> from lmoo.datasets import nist
        >>> data = nist("DanWood")
        >>> ax = lmoo.Solver().solve(data, data.starts[1]).plot_contour("b1", "b2")
        """
        from lmoo.results import profileplots

        return profileplots.plot_contour(self, i, j, ax, **options)

    def plot_convergence(self, ax: Any = None, **options: Any) -> Any:
        """Plot the convergence of the solve; see `lmoo.plotting.plot_convergence`.

        Examples
        --------
        >>> import lmoo
        >>> from lmoo.datasets import nist
        >>> data = nist("DanWood")
        >>> ax = lmoo.Solver().solve(data, data.starts[1], history=True).plot_convergence()
        """
        from lmoo.results import convergenceplots

        return convergenceplots.plot_convergence(self, ax, **options)
