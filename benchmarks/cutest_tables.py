"""Tables, summaries and plots of `cutest`."""

import numpy as np
from cutest_cache import Cache
from cutest_methods import Record, Results, norm
from s2mpj import Problem

LARGEST = 100.0  # factor at which the performance profile ends


def cosine(p: Problem, x: np.ndarray) -> float:
    """Return the largest cosine between f and a column of J that no active bound explains."""
    f, J = p.residual(x), p.jacobian(x)
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(J, axis=0)
        cosines = J.T @ f / np.where(lengths > 0, lengths, 1) / max(norm(f), 1e-300)
    at_lower, at_upper = x <= p.lower, x >= p.upper
    cosines[(at_lower & (cosines > 0)) | (at_upper & (cosines < 0))] = 0
    return float(np.max(np.abs(cosines)))


def table(cache: Cache, kind: str, results: Results, points: dict[str, np.ndarray]) -> None:
    print(
        f"\n{kind}\n{'problem':<14}{'n':>4}{'m':>5}  {'status':<20}{'success':<8}"
        f"{'|f|':>14}{'f':>8}{'J':>6}{'best |f|':>14}  {'by':<14}verdict"
    )
    for name, record in results.items():
        about, (best, who) = cache.data["problems"][name], cache.data["best"][name]
        verdict = "" if cache.solved(name, record) else "not solved"
        if cache.false(name, record):
            verdict = f"false success, cosine {cosine(cache.problem(name), points[name]):.0e}"
        print(
            f"{name:<14}{about['n']:>4}{about['m']:>5}  {record.status:<20}"
            f"{'yes' if record.success else 'no':<8}{record.norm:>14.6e}{record.residuals:>8}"
            f"{record.jacobians:>6}{best:>14.6e}  {who:<14}{verdict}"
        )


def evaluations(
    cache: Cache, methods: dict[str, Results], chosen: list[str], reach: bool = False
) -> np.ndarray:
    """Return evaluations of f plus Jacobians, (methods, problems); inf for unsolved problems.

    reach: count those until |f| was first as low as a solution's, instead of all.
    """

    def count(name: str, record: Record) -> float:
        if reach:
            return record.reaches(cache.near_best(name))
        return record.calls if cache.solved(name, record) else np.inf

    return np.array([[count(name, run[name]) for name in chosen] for run in methods.values()])


def factors(calls: np.ndarray) -> np.ndarray:
    """Return evaluations divided by the fewest of any method."""
    fewest = calls.min(axis=0)
    return np.where(np.isfinite(fewest), calls / np.where(np.isfinite(fewest), fewest, 1), np.inf)


def areas(calls: np.ndarray) -> np.ndarray:
    """Return the areas under the performance profiles."""
    share = 1 - np.log(factors(calls)) / np.log(LARGEST)
    return np.mean(np.clip(share, 0, 1), axis=1)


def summary(cache: Cache, kind: str, methods: dict[str, Results], chosen: list[str]) -> None:
    calls = evaluations(cache, methods, chosen)
    reach = evaluations(cache, methods, chosen, reach=True)
    everyone = np.isfinite(calls).all(axis=0)
    print(
        f"\n{kind}: {f'of {len(chosen)}':<10}{'solved':>8}{'success':>9}{'false':>7}{'f':>10}"
        f"{'J':>8}{'all solve':>11}{'area':>7}{'reach':>11}{'area':>7}"
    )
    for k, (who, run) in enumerate(methods.items()):
        records = [run[name] for name in chosen]
        print(
            f"{who:<22}{np.isfinite(calls[k]).sum():>8}{sum(r.success for r in records):>9}"
            f"{sum(cache.false(name, run[name]) for name in chosen):>7}"
            f"{sum(r.residuals for r in records):>10}{sum(r.jacobians for r in records):>8}"
            f"{calls[k, everyone].sum():>11.0f}{areas(calls)[k]:>7.3f}"
            f"{reach[k, everyone].sum():>11.0f}{areas(reach)[k]:>7.3f}"
        )
    noteworthy(cache, methods, chosen, factors(calls)[0])


def noteworthy(
    cache: Cache, methods: dict[str, Results], chosen: list[str], ratio: np.ndarray
) -> None:
    """Print the problems for which another method is better."""
    mine = methods["lmoo"]
    by = {n: [who for who, run in methods.items() if cache.solved(n, run[n])] for n in chosen}
    behind = [n for n in chosen if by[n] and "lmoo" not in by[n]]
    false = [n for n in chosen if cache.false(n, mine[n])]
    failed = [n for n in chosen if "lmoo" in by[n] and not mine[n].success]
    slow = [(n, r) for n, r in zip(chosen, ratio, strict=True) if 3 < r < np.inf]
    for title, shown in (
        ("not solved by lmoo, but by others", [f"{n} ({', '.join(by[n])})" for n in behind]),
        ("false successes of lmoo", false),
        ("failures of lmoo at the best point", [f"{n} {mine[n].status}" for n in failed]),
        ("more than 3 times the evaluations of the best", [f"{n} {r:.1f}" for n, r in slow]),
    ):
        print(f"  {title}: {len(shown)}: {', '.join(shown)}")


def changes(cache: Cache, before: Results, now: Results) -> None:
    """Print the differences from an earlier run."""
    both = [name for name in now if name in before]
    for title, chosen in (
        ("gained", [n for n in both if cache.solved(n, now[n]) > cache.solved(n, before[n])]),
        ("lost", [n for n in both if cache.solved(n, now[n]) < cache.solved(n, before[n])]),
        ("new false successes",
         [n for n in both if cache.false(n, now[n]) > cache.false(n, before[n])]),
        ("false successes gone",
         [n for n in both if cache.false(n, now[n]) < cache.false(n, before[n])]),
        ("other status", [
            f"{n} {before[n].status} -> {now[n].status}"
            for n in both if before[n].status != now[n].status
        ]),
    ):  # fmt: skip
        print(f"  {title}: {len(chosen)}: {', '.join(chosen)}")
    kept = [n for n in both if cache.solved(n, now[n]) and cache.solved(n, before[n])]
    if not kept:
        return
    ratio = np.array([now[n].calls / before[n].calls for n in kept])
    total = [sum(run[n].calls for n in kept) for run in (before, now)]
    print(
        f"  evaluations where both solve, {len(kept)} problems: {total[0]} -> {total[1]}, "
        f"geometric mean of the ratios {np.exp(np.mean(np.log(ratio))):.3f}"
    )
    order = np.argsort(ratio)
    for title, some in (("fewer", order[:8]), ("more", order[::-1][:8])):
        shown = [f"{kept[k]} {ratio[k]:.2f}" for k in some if abs(ratio[k] - 1) > 0.05]
        print(f"  {title}: {', '.join(shown)}")


def plot(path: str, cache: Cache, runs: dict[str, tuple[dict[str, Results], list[str]]]) -> None:
    """Plot performance profiles and data profiles (More', Wild 2009)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(runs), figsize=(5 * len(runs), 8), squeeze=False)
    for column, (kind, (methods, chosen)) in enumerate(runs.items()):
        ratios = factors(evaluations(cache, methods, chosen))
        n = np.array([cache.data["problems"][name]["n"] for name in chosen])
        budgets = evaluations(cache, methods, chosen, reach=True) / (n + 1)
        for k, who in enumerate(methods):
            for row, values in enumerate((ratios[k], budgets[k])):
                at = np.sort(values[np.isfinite(values)])
                axes[row, column].step(
                    np.r_[at[:1], at], np.arange(at.size + 1) / len(chosen), where="post", label=who
                )
        for row, label in enumerate(
            ("evaluations over the fewest", "evaluations to reach it / (n + 1)")
        ):
            axes[row, column].set(xscale="log", xlabel=label, ylim=(0, 1), title=kind)
            axes[row, column].grid(alpha=0.3)
        axes[0, column].set_xlim(1, LARGEST)
        axes[0, column].legend(loc="lower right", fontsize=8)
    axes[0, 0].set_ylabel("share of the problems solved")
    axes[1, 0].set_ylabel("share of the problems solved")
    figure.tight_layout()
    figure.savefig(path)
