"""Stacks of curves with shared parameters that are tied, constrained, or have priors.

The coordinates of all curves are one joint fit; `RelatedJointFits` has all parameters.  With the
priors, which state their own errors, the covariance of the coordinates of a curve is a block of

    s^2 (H^-1 - H^-1 P H^-1) + H^-1 P H^-1,    H = J_d^T J_d + P,    P = J_p^T J_p

where s is the standard deviation of the data (see `lmoo.results.mapped`).
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.kernels import enorm
from lmoo.batch.fits import write
from lmoo.batch.priordata import PriorDataset
from lmoo.batch.propagation import as_values, derived_quantities, propagated
from lmoo.batch.shared import JointFits, points_of_each, without_scale
from lmoo.batch.sharedsolve import joint_loop
from lmoo.batch.tasks import BatchData
from lmoo.models.relations.coordinates import Coordinates
from lmoo.results.covariancefactor import CovarianceFactor, combined
from lmoo.results.fit import Fit
from lmoo.results.related import Value
from lmoo.results.result import PartResult
from lmoo.solver.joint import arrow_factor
from lmoo.solver.related import related_at

# Relative errors of rounding in covariances.
_ROUNDING = 2.0**-46


def shared_coordinates(coordinates: Coordinates, shared: tuple[str, ...]) -> NDArray[np.intp]:
    """Return where each coordinate is: shared ones from 0, own ones behind these.

    Raises
    ------
    ValueError
        A shared parameter follows from parameters that each curve has for itself.
    """
    common = coordinates.shared
    depends = np.asarray(coordinates.functions.depends[:, ~common].any(axis=1))
    for name in shared:
        j = coordinates.names.index(name)
        if depends[j]:
            raise ValueError(
                f"shared parameters must not follow from parameters of single curves; {name} = "
                f"{coordinates.ties.get(name, 'a constraint')} does: share these too"
            )
    if not common.any():
        raise ValueError(
            "shared must leave a parameter to be fitted for all curves together; all are tied to "
            "others or fixed"
        )
    where = np.empty(common.size, dtype=np.intp)
    where[np.argsort(~common, kind="stable")] = np.arange(common.size)
    return where


class SharedPriors(PriorDataset):
    """A stack of curves with points for the priors, of shared parameters for the first curve alone.

    Parameters
    ----------
    base, coordinates, model, marked
        As for `PriorDataset`.
    """

    def __init__(self, base: Any, coordinates: Coordinates, model: Any, marked: bool) -> None:
        super().__init__(base, coordinates, model, marked)
        own = coordinates.prior_functions.depends[:, ~coordinates.shared]
        self.once = np.logical_not(own.any(axis=1))
        if self.once.any():
            assert self.weights is not None
            weights = np.array(np.broadcast_to(self.weights, (base.count, self.m)))
            weights[1:, base.m :][:, self.once] = 0.0
            self.weights = weights
            names = [name for name, one in zip(coordinates.priors, self.once, strict=True) if one]
            self.others = coordinates.without_priors(names)

    def _of_curve(self, which: int) -> Coordinates:
        return self.others if which > 0 and self.once.any() else self.coordinates

    def without_priors(self) -> "SharedPriors":
        """Return the stack in which the points for the priors have no weight."""
        found = copy(self)
        found.weights = np.array(self.weights)
        found.weights[:, self.base.m :] = 0.0
        found.coordinates = found.others = self.coordinates.without_priors(
            list(self.coordinates.priors)
        )
        return found


@dataclass(frozen=True, eq=False, repr=False)
class RelatedJointFits(JointFits):
    """Results of `curve_fit_many` with shared parameters that are related; see `JointFits`.

    Attributes
    ----------
    derived : dict of str to Value
        Values and standard errors of the derived quantities, each of the shape of the stack.
    """

    derived: dict[str, Value] = field(default_factory=dict)
    _inner: Any = None
    _blocks: Any = None

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            return self.derived[index] if index in self.derived else self._named(index)
        return _part(self, self._number(index))


def related_joint_fits(
    inner: JointFits, outer: BatchData, coordinates: Coordinates, out: Mapping[str, Any] | None
) -> RelatedJointFits:
    """Return the results of all parameters from those of the coordinates."""
    fit: Fit = inner._solved.fit
    data: SharedPriors = inner._batch.dataset
    count, shape = data.count, data.shape
    z = np.asarray(inner.x).reshape(count, -1)
    rows = fit.residual.reshape(count, -1)
    m = data.base.m
    priors = _prior_count(data)
    points = fit.observations - priors
    degrees = fit.degrees_of_freedom
    deviation = fit.residual_deviation
    if priors and fit.factor is not None:
        # What priors alone determine leaves the degrees of freedom as they are.
        degrees = points - _determined(inner)
        norm = enorm(np.ascontiguousarray(rows[:, :m]).reshape(-1))
        deviation = norm / np.sqrt(degrees) if degrees > 0 else np.inf
    known = fit.absolute_sigma and fit.robust is None
    blocks, unit = None, np.ones(z.shape)
    if fit.success and (degrees > 0 or known):
        blocks = _blocks_of(inner, coordinates, z)
    covariance = np.full((count, z.shape[1], z.shape[1]), np.nan)
    if fit.success:
        covariance = without_scale(fit, inner._solved.where, inner._solved.shared, count)
    if blocks is not None:
        covariance, size = combined(*blocks[:2], 1.0 if known else float(deviation))
        unit = blocks[2] * size
    x = coordinates.x(z.T).T
    values: dict[str, Any] = {"x": x, "cost": np.asarray(inner.cost).reshape(-1)}
    if data.priors:
        counted = np.append(np.ones(m, dtype=bool), ~data.once)
        values["cost"] = 0.5 * (rows[:, counted] ** 2).sum(axis=1)
    matrix, values["stderr"] = propagated(coordinates.slopes(z.T), covariance, unit)
    empty = JointFits._empty(outer, out)
    if empty.covariance is not None:
        values["covariance"] = matrix
    for name in ("status", "nfev", "njev", "nit"):
        values[name] = np.asarray(getattr(inner, name)).reshape(-1)
    # Rows of priors are no observations.
    values["observations"] = points_of_each(inner._solved.weights, m, count)
    for name, array in values.items():
        write(getattr(empty, name), len(shape), slice(0, count), array)
    quantities = derived_quantities(coordinates, z, covariance, unit)
    common = ~coordinates.functions.depends[:, ~coordinates.shared].any(axis=1)
    common &= np.isin(coordinates.names, inner.shared) | coordinates.functions.depends.any(axis=1)
    kept = {name: getattr(empty, name) for name in ("shape", "errors", "_batch", *values)}
    return RelatedJointFits(
        **{"covariance": None, **kept},
        shared=tuple(name for name, one in zip(coordinates.names, common, strict=True) if one),
        is_shared=common,
        joint_cost=inner.joint_cost,
        degrees_of_freedom=degrees,
        residual_deviation=float(deviation),
        message=inner.message,
        derived=as_values(coordinates.derived, *quantities, shape),
        _inner=inner,
        _solved=inner._solved,
        _blocks=(points, blocks),
    )


def _prior_count(data: SharedPriors) -> int:
    """Return the number of rows of priors of all curves."""
    if not data.priors:
        return 0
    once = int(np.count_nonzero(data.once))
    return once + (data.priors - once) * data.count


def _determined(inner: JointFits) -> int:
    """Return the number of coordinates that the data determine, or that are at an active bound."""
    fit, batch = inner._solved.fit, inner._batch
    held = fit.fixed_or_active
    edges = np.where(held, fit.x, np.stack([fit.lower, fit.upper]))
    data = batch.dataset.without_priors()
    chunk = data.chunk(batch.model, slice(0, data.count))
    loop, groups = joint_loop(
        batch.model, data, chunk, replace(batch.solver, maxfev=1), inner._solved.where,
        inner._solved.shared, data.coordinates.labels, fit.x, edges,
    )  # fmt: skip
    loop.run()
    return arrow_factor(loop, groups.own).rank + int(np.count_nonzero(held & ~fit.fixed))


def _blocks_of(inner: JointFits, coordinates: Coordinates, z: Array) -> tuple[Array, Array, Array]:
    """Return the blocks of each curve of the data and the priors, (count, q, q), and their units.

    These are H^-1 - H^-1 P H^-1 and H^-1 P H^-1, over the units of the coordinates, (count, q).
    """
    solved, data = inner._solved, inner._batch.dataset
    where = solved.where
    factor: Any = solved.fit._linear
    inverse = factor.group_blocks()
    of_priors = np.zeros_like(inverse)
    if data.priors:
        slopes = coordinates.prior_slopes(z.T)
        slopes[1:, data.once] = 0.0
        # In the order of the arrow model.
        of_priors = factor.group_products(slopes[:, :, np.argsort(where)])
        lost = ~np.isfinite(inverse)
        of_priors[lost] = 0.0
    of_data = inverse - of_priors
    with np.errstate(all="ignore"):
        errors = np.sqrt(np.diagonal(inverse, axis1=1, axis2=2))
        # What priors alone determine has no share of the data but rounding.
        least = _ROUNDING * errors[:, :, None] * errors[:, None]
        of_data[np.isfinite(of_data) & (np.abs(of_data) <= least)] = 0.0
    picked = [np.ascontiguousarray(a[:, where][:, :, where]) for a in (of_data, of_priors)]
    return picked[0], picked[1], np.ascontiguousarray(factor.group_units()[:, where])


def _part(fits: RelatedJointFits, which: int) -> PartResult:
    """Return the result of one curve."""
    inner, solved = fits._inner, fits._solved
    coordinates: Coordinates = inner._batch.dataset.coordinates
    data: SharedPriors = inner._batch.dataset
    batch, fit, m = fits._batch, solved.fit, data.base.m
    z = np.asarray(inner.x).reshape(data.count, -1)[which]
    x = coordinates.x(z)
    rows = fit.residual.reshape(data.count, -1)[which, :m]
    there = np.ones(m, dtype=bool)
    if solved.weights is not None:
        there = solved.weights[which if len(solved.weights) > 1 else 0][:m] != 0.0
    places = solved.places(which)
    fixed, active = fit.fixed[places], fit.active_mask[places]
    place = coordinates.place
    slopes = coordinates.slopes(z)
    factor = None
    points, blocks = fits._blocks
    if blocks is not None:
        factor = CovarianceFactor(
            blocks[0][which], blocks[1][which], blocks[2][which], slopes, fits.degrees_of_freedom,
            fits.residual_deviation, ~(fixed | (active != 0)),
        )  # fmt: skip
    problem = data.base.problem(batch.source, which)
    if problem is not None:
        problem.parameter_names = coordinates.names
    norm = enorm(np.ascontiguousarray(rows))
    related = related_at(coordinates, z, active, points - fits.degrees_of_freedom, norm)
    lower, upper = coordinates.bounds
    return PartResult(
        x=x, cost=float(np.asarray(fits.cost).reshape(-1)[which]), residual=rows[there],
        observations=int(there.sum()), status=fit.status, message=fit.message, nfev=fit.nfev,
        njev=fit.njev, nit=fit.nit, parameter_names=coordinates.names,
        fnorm=float(np.hypot(norm, np.linalg.norm(related.rows))),
        factor=factor,  # type: ignore[arg-type]
        problem=problem, solver=batch.solver, lower=lower, upper=upper,
        fixed=np.where(place < 0, False, fixed[place]),
        active_mask=coordinates.held_parameters(active), evaluation=fit.evaluation,
        _gradient=np.where(place < 0, 0.0, fit.gradient[places][place]), related=related,
        absolute_sigma=fit.absolute_sigma,
    )  # fmt: skip
