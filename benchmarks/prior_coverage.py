"""Coverage of 95 % intervals of fits with priors, over simulated stacks.

    python benchmarks/prior_coverage.py [number of fits]

Each fit has its own truth, drawn from the priors, and its own noise.  The intervals of all
parameters, of a tied one and of a derived quantity should contain the truth in 95 % of the fits.
"""

import sys
from typing import Any

import numpy as np

import lmoo
from lmoo.results.distributions import t_factor

T = np.linspace(0.0, 4.0, 30)
SIGMA = 0.05
PRIORS = {"rate": (0.8, 0.03), "total": (4.0, 0.05)}
TIES = {"slow": "rate/4"}


def model(t: Any, fast: Any, rate: Any, offset: Any, slow: Any) -> Any:
    """Return a sum of two decays."""
    return fast * np.exp(-rate * t) + offset * np.exp(-slow * t)


def coverage(count: int, seed: int = 1, scale: float = 1.0) -> dict[str, float]:
    """Return the share of intervals that contain the truth, by parameter.

    scale: by what the errors of the data are larger than the fit is told
    """
    rng = np.random.default_rng(seed)
    (rate_mean, rate_sigma), (total_mean, total_sigma) = PRIORS.values()
    rate = rate_mean + rate_sigma * rng.normal(size=count)
    offset = rng.uniform(0.5, 1.5, count)
    fast = total_mean + total_sigma * rng.normal(size=count) - offset
    truth = {"fast": fast, "rate": rate, "offset": offset, "slow": rate / 4, "total": fast + offset}
    columns = [truth[name][:, None] for name in ("fast", "rate", "offset", "slow")]
    y = model(T, *columns) + scale * SIGMA * rng.normal(size=(count, T.size))
    fits = lmoo.curve_fit_many(
        model,
        T,
        y,
        {"fast": 3.0, "rate": 0.8, "offset": 1.0},
        sigma=np.full(T.size, SIGMA),
        ties=TIES,
        priors=PRIORS,
        derived={"total": "fast + offset"},
    )
    assert fits.success.all()
    half = t_factor(0.95, T.size - 3)
    return {
        name: float(np.mean(np.abs(fits[name].value - true) <= half * fits[name].stderr))
        for name, true in truth.items()
    }


def main(count: int) -> None:
    """Print the shares."""
    for scale in (1.0, 3.0):
        shares = ", ".join(
            f"{name} {100 * s:.1f} %" for name, s in coverage(count, 1, scale).items()
        )
        print(f"{count} fits, errors {scale:g} times as told: {shares}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
