"""Summaries, tables and plots of many fits."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.problems.names import names_of

if TYPE_CHECKING:
    from os import PathLike

    from lmoo.results.related import Value


class PresentedFits:
    """The methods of `lmoo.Fits` that present it."""

    # Of `Fits`.
    shape: tuple[int, ...]
    x: Array
    stderr: Array
    cost: Array
    status: NDArray[np.int64]
    observations: NDArray[np.int64]
    _batch: Any

    @property
    def success(self) -> NDArray[np.bool_]:
        """Whether a minimum was found."""
        status = np.asarray(self.status)
        return (status >= 1) & (status <= 4)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the parameters; x[0], x[1], ... if the model does not name them."""
        return names_of(self._batch.names, self.x.shape[-1])

    @property
    def derived_names(self) -> tuple[str, ...]:
        """The names of the derived quantities."""
        return tuple(getattr(self, "derived", ()))

    def _quantity(self, name: str) -> "Value":
        """Return values and standard errors of a parameter or a derived quantity."""
        fits: Any = self
        found: Value = fits[name]
        return found

    # ---- quality ------------------------------------------------------------------------------

    @property
    def chi_square(self) -> Array:
        """Sum of squares of each fit, over sigma if there is one, without priors."""
        return np.asarray(2.0 * np.asarray(self.cost))

    @property
    def reduced_chi_square(self) -> Array:
        """``chi_square / (m - n)`` of each fit; nan without degrees of freedom and with a loss.

        n counts the parameters that are not fixed.  With shared parameters it is that of the joint
        fit, for all curves.
        """
        return self._reduced_chi_square()

    def _free_counts(self) -> Any:
        """Return the number of parameters that are not fixed, a number or one for each fit."""
        n = self.x.shape[-1]
        edges = self._batch.guesses.edges
        if edges is None:
            return n
        fixed = np.isnan(np.asarray(edges)[..., 0, :]).sum(axis=-1)
        return n - (int(fixed) if fixed.ndim == 0 else fixed.reshape(self.shape))

    def _reduced_chi_square(self) -> Array:
        degrees = np.asarray(self.observations) - self._free_counts()
        known = (degrees > 0) & (self._batch.solver.loss == "linear")
        with np.errstate(all="ignore"):
            return np.where(known, self.chi_square / degrees, np.nan)

    # ---- summaries ----------------------------------------------------------------------------

    def __repr__(self) -> str:
        from lmoo.batch.summary import short

        return short(self)

    def _repr_html_(self) -> str:
        """Return a summary for notebooks: the counts, and the quartiles of each parameter."""
        from lmoo.batch.summary import html

        return html(self)

    # ---- tables -------------------------------------------------------------------------------

    def to_dataframe(self, *, failed: Literal["nan", "keep"] = "nan") -> Any:
        """Return the fits as a table of pandas, with a row for each.

        Parameters
        ----------
        failed : {"nan", "keep"}
            What fits without a minimum have: nan for values and errors, or the last point.

        Returns
        -------
        pandas.DataFrame
            For each parameter and each derived quantity the value, a column of its name, and the
            standard error, the name with "_stderr"; then ``chi_square``, ``observations``,
            ``status``, ``success``, ``nfev``, ``nit``.  The index has the numbers of the fits; for
            a stack of several dimensions, one level for each.

        Raises
        ------
        ImportError
            pandas is not installed.
        ValueError
            Two columns would have the same name; `failed` is invalid.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> t = np.arange(6.0)
        >>> y = np.array([[1.0], [2.0]]) * t + 0.01 * np.cos(3 * t)
        >>> fits = lmoo.curve_fit_many(lambda t, slope: slope * t, t, y, p0=[0.5])
        >>> fits.to_dataframe()[["slope", "slope_stderr", "success"]].round(4)
            slope  slope_stderr  success
        0  0.9996        0.0013     True
        1  1.9996        0.0013     True
        """
        from lmoo.batch.tables import to_dataframe

        return to_dataframe(self, failed)

    def to_xarray(
        self,
        dims: Sequence[str] | None = None,
        coords: Mapping[str, Any] | None = None,
        *,
        failed: Literal["nan", "keep"] = "nan",
    ) -> Any:
        """Return the fits as a Dataset of xarray.

        Parameters
        ----------
        dims : sequence of str, optional
            Names of the dimensions of the stack.  None: "dim_0", "dim_1", ...
        coords : mapping, optional
            Coordinates of these dimensions.
        failed : {"nan", "keep"}
            As for `to_dataframe`.

        Returns
        -------
        xarray.Dataset
            ``value`` and ``stderr`` with the dimensions of the stack and "parameter", whose
            coordinate has the names; ``covariance`` with "parameter" and "parameter_2", if it was
            computed and there are no derived quantities; ``chi_square``, ``observations``,
            ``status``, ``success``, ``nfev``, ``nit``.

        Raises
        ------
        ImportError
            xarray is not installed.
        ValueError
            `dims` has not a name for each dimension; `failed` is invalid.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> t = np.arange(6.0)
        >>> y = np.array([[1.0], [2.0]]) * t + 0.01 * np.cos(3 * t)
        >>> fits = lmoo.curve_fit_many(lambda t, slope: slope * t, t, y, p0=[0.5])
        >>> table = fits.to_xarray(["sample"], {"sample": ["a", "b"]})
        >>> float(table["value"].sel(sample="b", parameter="slope").round(4))
        1.9996
        """
        from lmoo.batch.tables import to_xarray

        return to_xarray(self, dims, coords, failed)

    # ---- pages --------------------------------------------------------------------------------

    def to_html(
        self, path: "str | PathLike[str]", *, title: str | None = None, overwrite: bool = False
    ) -> None:
        """Write a summary with plots as a page of HTML, a single file.

        It has what has converged, the quartiles of each parameter, plots of the parameters over
        the stack, and data and fit of a typical and of the worst curve.

        Parameters
        ----------
        path, title, overwrite
            As for `Result.to_html`, which writes the page of one curve: ``fits[3].to_html(path)``.

        Raises
        ------
        FileExistsError
            The file exists, and `overwrite` is false.

        Examples
        --------
        >>> import tempfile, numpy as np, lmoo
        >>> t = np.arange(6.0)
        >>> y = np.array([[1.0], [2.0]]) * t + 0.01 * np.cos(3 * t)
        >>> fits = lmoo.curve_fit_many(lambda t, slope: slope * t, t, y, p0=[0.5])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fits.to_html(f"{folder}/lines.html", title="Two lines")
        """
        from lmoo.batch.page import write_page

        write_page(self, path, title, overwrite)

    # ---- plots --------------------------------------------------------------------------------

    def plot(self, index: Any, ax: Any = None, **options: Any) -> Any:
        """Plot data and fit of one curve; see `Result.plot`.

        Parameters
        ----------
        index : int or tuple of int
            As for ``fits[index]``.
        ax, **options
            As for `lmoo.plotting.plot`.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> t = np.arange(6.0)
        >>> y = np.array([[1.0], [2.0]]) * t + 0.01 * np.cos(3 * t)
        >>> fits = lmoo.curve_fit_many(lambda t, slope: slope * t, t, y, p0=[0.5])
        >>> above, below = fits.plot(1)
        """
        fits: Any = self
        return fits[index].plot(ax, **options)

    def plot_map(
        self,
        name: str,
        ax: Any = None,
        *,
        error: bool = False,
        limits: tuple[float, float] | None = None,
        cmap: str = "viridis",
    ) -> Any:
        """Plot a parameter of all fits: an image for two dimensions, points for one.

        Parameters
        ----------
        name : str
            A parameter, a derived quantity, or "chi_square", "reduced_chi_square", "nit", "nfev".
        ax : Axes, optional
            None: a new figure.
        error : bool, default False
            Plot the standard error instead of the value.
        limits : (float, float), optional
            Ends of the colour scale, or of the vertical axis.  None: the range of the central 98 %
            of the values.
        cmap : str, default "viridis"
            Colour map of matplotlib.

        Returns
        -------
        Axes

        Raises
        ------
        ImportError
            matplotlib is not installed.
        KeyError
            The name is not known.
        ValueError
            The stack has more than two dimensions; there is no error of this quantity.

        Notes
        -----
        Fits without a minimum, and values that are not finite, have a colour that is not in the
        colour map; the legend counts them.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> t = np.arange(6.0)
        >>> slope = np.arange(1.0, 13.0).reshape(3, 4)
        >>> y = slope[..., None] * t + 0.01 * np.cos(3 * t)
        >>> fits = lmoo.curve_fit_many(lambda t, slope: slope * t, t, y, p0=[0.5])
        >>> fits.plot_map("slope").images[0].get_array().shape
        (3, 4)
        """
        from lmoo.batch.maps import plot_map

        return plot_map(self, name, ax, error, limits, cmap)
