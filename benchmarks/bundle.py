"""Bundle adjustment: lmoo with a sparse Jacobian and with the arrow model, scipy, and Ceres.

    python benchmarks/bundle.py [--cameras 50] [--points 10000] [--file problem.txt] [--arrow]

The scene is generated, or read from a file in the format of "Bundle Adjustment in the Large" (BAL;
Agarwal, Snavely, Seitz, Szeliski 2010, ECCV).  For each solver: the cost that it reaches,
iterations, evaluations, and seconds in linear algebra until the cost is within 10^-4 of the least
one of all; the time of residuals and derivatives, which are the same for lmoo and scipy, is left
out.  For Ceres (if pyceres is installed) this is the time of its linear solver, SPARSE_SCHUR on one
thread.

--arrow also solves it as a JointProblem with one problem for each point and the cameras' parameters
shared.  Its seconds include the calls of 10,000 problems in Python, so that the time of the
operations of the arrow model for one iteration is printed as well, with that of Ceres' solver.
"""

import argparse
import bz2
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize
from numpy.typing import NDArray
from scipy.sparse import csr_array

import lmoo
from lmoo._core.arrow import ArrowLinear
from lmoo.sparse.cholesky import backend

Array = NDArray[np.float64]

CLOSE = 1e-4


class Scene(NamedTuple):
    """A problem of bundle adjustment.

    camera, point : (observations,) int arrays
    pixels : (observations, 2) array
    cameras : (cameras, 9) array
        Rotation vector, translation, focal length, and two coefficients of radial distortion.
    points : (points, 3) array
    """

    camera: NDArray[np.intp]
    point: NDArray[np.intp]
    pixels: Array
    cameras: Array
    points: Array

    @property
    def start(self) -> Array:
        """The starting point: cameras, then points."""
        return np.concatenate([self.cameras.ravel(), self.points.ravel()])


def read_bal(path: Path) -> Scene:
    """Read a file in the BAL format, which may be compressed by bzip2."""
    data = path.read_bytes()
    text = (bz2.decompress(data) if path.suffix == ".bz2" else data).decode()
    numbers = np.array(text.split(), dtype=np.float64)
    cameras, points, count = numbers[:3].astype(int).tolist()
    rows = numbers[3 : 3 + 4 * count].reshape(count, 4)
    rest = numbers[3 + 4 * count :]
    if rest.size != 9 * cameras + 3 * points:
        raise ValueError(f"{path} has {rest.size} parameters, not {9 * cameras + 3 * points}")
    first, second = rows[:, 0].astype(np.intp), rows[:, 1].astype(np.intp)
    return Scene(
        first,
        second,
        rows[:, 2:],
        rest[: 9 * cameras].reshape(cameras, 9),
        rest[9 * cameras :].reshape(points, 3),
    )


def write_bal(path: Path, scene: Scene) -> None:
    """Write a file in the BAL format."""
    lines = [f"{len(scene.cameras)} {len(scene.points)} {len(scene.pixels)}"]
    for k, j, (u, v) in zip(scene.camera, scene.point, scene.pixels.tolist(), strict=True):
        lines.append(f"{k} {j} {u!r} {v!r}")
    lines += [repr(value) for value in scene.start.tolist()]
    path.write_text("\n".join(lines) + "\n")


def generated(cameras: int, points: int, seed: int = 0) -> Scene:
    """Return cameras on a circle that look at points in a ball, each seen by neighbours."""
    rng = np.random.default_rng(seed)
    angles = 2 * np.pi * np.arange(cameras) / cameras
    true = np.zeros((cameras, 9))
    true[:, 1], true[:, 5] = angles, -8.0
    true[:, 6], true[:, 7], true[:, 8] = 800.0, -0.05, 0.01
    true[:, :3] += 0.02 * rng.normal(size=(cameras, 3))
    places = rng.normal(size=(points, 3))
    places *= (2.0 * rng.random(points) ** (1 / 3) / np.linalg.norm(places, axis=1))[:, None]
    seen = min(5, cameras)
    first = rng.integers(cameras, size=points)
    camera = ((first[:, None] + np.arange(seen)) % cameras).ravel()
    point = np.repeat(np.arange(points), seen)
    pixels = project(true[camera], places[point])[0] + 0.5 * rng.normal(size=(camera.size, 2))
    sizes = np.array([2e-3, 2e-3, 2e-3, 0.02, 0.02, 0.02, 2.0, 1e-3, 1e-3])
    start = true + sizes * rng.normal(size=true.shape)
    return Scene(camera, point, pixels, start, places + 0.02 * rng.normal(size=places.shape))


def rotations(w: Array) -> tuple[Array, Array]:
    """Return the matrices of rotation vectors, (k, 3, 3), and their derivatives, (k, 3, 3, 3)."""
    angle = np.linalg.norm(w, axis=1)
    small = angle < 1e-6
    safe = np.where(small, 1.0, angle)
    a = np.where(small, 1 - angle**2 / 6, np.sin(safe) / safe)
    b = np.where(small, 0.5 - angle**2 / 24, (1 - np.cos(safe)) / safe**2)
    da = np.where(small, -1 / 3, (np.cos(safe) - a) / safe**2)
    db = np.where(small, -1 / 12, (a - 2 * b) / safe**2)
    generators = np.zeros((3, 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        generators[i, k, j], generators[i, j, k] = 1.0, -1.0
    cross = np.einsum("ki,iab->kab", w, generators)
    square = cross @ cross
    matrix = np.eye(3) + a[:, None, None] * cross + b[:, None, None] * square
    slopes = np.empty((len(w), 3, 3, 3))
    for i in range(3):
        part = generators[i] @ cross + cross @ generators[i]
        growth = (da * w[:, i])[:, None, None] * cross + (db * w[:, i])[:, None, None] * square
        slopes[:, i] = growth + a[:, None, None] * generators[i] + b[:, None, None] * part
    return matrix, slopes


def project(cameras: Array, points: Array, derivatives: bool = False) -> tuple[Array, Array | None]:
    """Return pixels, (k, 2), and derivatives by the 9 + 3 parameters of each, (k, 2, 12)."""
    matrix, slopes = rotations(cameras[:, :3])
    inside = np.einsum("kab,kb->ka", matrix, points) + cameras[:, 3:6]
    z = inside[:, 2]
    flat = -inside[:, :2] / z[:, None]
    square = (flat**2).sum(axis=1)
    f, k1, k2 = cameras[:, 6], cameras[:, 7], cameras[:, 8]
    bend = 1 + square * (k1 + k2 * square)
    pixels = (f * bend)[:, None] * flat
    if not derivatives:
        return pixels, None
    # Of the pixels by the coordinates in the system of the camera.
    by_flat = bend[:, None, None] * np.eye(2) + np.einsum(
        "ka,kb->kab", flat, (2 * (k1 + 2 * k2 * square))[:, None] * flat
    )
    flat_by = np.zeros((len(z), 2, 3))
    flat_by[:, 0, 0] = flat_by[:, 1, 1] = -1 / z
    flat_by[:, :, 2] = -flat / z[:, None]
    by_inside = f[:, None, None] * (by_flat @ flat_by)
    out = np.empty((len(z), 2, 12))
    turned = np.einsum("kiab,kb->kai", slopes, points)
    out[:, :, :3], out[:, :, 3:6] = by_inside @ turned, by_inside
    out[:, :, 6] = bend[:, None] * flat
    out[:, :, 7] = (f * square)[:, None] * flat
    out[:, :, 8] = (f * square**2)[:, None] * flat
    out[:, :, 9:] = by_inside @ matrix
    return pixels, out


class Bundle(lmoo.Problem):
    """All observations as one problem with a sparse Jacobian; it counts and times evaluations."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.seconds = scene, 0.0
        self.residuals = self.jacobians = 0
        count, cameras = scene.camera.size, len(scene.cameras)
        own = 9 * cameras + 3 * scene.point[:, None] + np.arange(3)
        columns = np.concatenate([9 * scene.camera[:, None] + np.arange(9), own], axis=1)
        self.columns = np.repeat(columns, 2, axis=0).ravel().astype(np.int32)
        self.first = np.arange(0, 24 * count + 1, 12, dtype=np.int32)
        self.shape = 2 * count, scene.start.size

    def parts(self, x: Array) -> tuple[Array, Array]:
        """Return the cameras and the points of each observation."""
        split = self.scene.cameras.size
        cameras, points = x[:split].reshape(-1, 9), x[split:].reshape(-1, 3)
        return cameras[self.scene.camera], points[self.scene.point]

    def residual(self, x: Array) -> Array:
        """Return the differences of pixels."""
        begin = time.perf_counter()
        found = (project(*self.parts(x))[0] - self.scene.pixels).ravel()
        self.seconds += time.perf_counter() - begin
        self.residuals += 1
        return found

    def jacobian(self, x: Array) -> Any:
        """Return the derivatives, a csr_array."""
        begin = time.perf_counter()
        data = project(*self.parts(x), derivatives=True)[1]
        assert data is not None
        found = csr_array((data.ravel(), self.columns, self.first), shape=self.shape)
        self.seconds += time.perf_counter() - begin
        self.jacobians += 1
        return found


class Point(lmoo.Problem):
    """The observations of one point, for a JointProblem."""

    def __init__(self, scene: Scene, j: int, times: list[float]) -> None:
        which = np.flatnonzero(scene.point == j)
        self.pixels, self.times = scene.pixels[which], times
        self.count = which.size
        names = [f"camera{k}_{i}" for k in scene.camera[which].tolist() for i in range(9)]
        self.parameter_names = (*names, "x", "y", "z")

    def residual(self, x: Array) -> Array:
        """Return the differences of pixels."""
        begin = time.perf_counter()
        cameras, place = x[:-3].reshape(-1, 9), np.broadcast_to(x[-3:], (self.count, 3))
        found = (project(cameras, place)[0] - self.pixels).ravel()
        self.times[0] += time.perf_counter() - begin
        return found

    def jacobian(self, x: Array) -> Array:
        """Return the derivatives."""
        begin = time.perf_counter()
        cameras, place = x[:-3].reshape(-1, 9), np.broadcast_to(x[-3:], (self.count, 3))
        data = project(cameras, place, derivatives=True)[1]
        assert data is not None
        out = np.zeros((self.count, 2, x.size))
        for i in range(self.count):
            out[i, :, 9 * i : 9 * i + 9] = data[i, :, :9]
        out[:, :, -3:] = data[:, :, 9:]
        self.times[0] += time.perf_counter() - begin
        return out.reshape(2 * self.count, -1)


class Course(NamedTuple):
    """The course of a solve: pairs of seconds in linear algebra and cost, and the end."""

    name: str
    steps: list[tuple[float, float]]
    iterations: int
    evaluations: str

    @property
    def cost(self) -> float:
        """The least cost."""
        return min(cost for _, cost in self.steps)

    def until(self, cost: float) -> float:
        """Return the seconds to a cost; inf if it was not reached."""
        return min((second for second, at in self.steps if at <= cost), default=float("inf"))


def by_sparse(scene: Scene) -> Course:
    """Solve with lmoo's sparse model."""
    problem, steps = Bundle(scene), []
    begin = time.perf_counter()

    def note(record: Any) -> None:
        steps.append((time.perf_counter() - begin - problem.seconds, record.cost))

    solver = lmoo.Solver(linear=lmoo.SparseCholesky, ftol=1e-10, xtol=1e-8)
    result = solver.solve(problem, scene.start, callback=note)
    name = f"lmoo sparse ({backend()[0].__name__.strip('_')})"
    return Course(name, steps, result.nit, f"{problem.residuals} + {problem.jacobians}")


def by_arrow(scene: Scene) -> Course:
    """Solve with lmoo's arrow model."""
    times, steps = [0.0], []
    problems = [Point(scene, j, times) for j in range(len(scene.points))]
    shared = sorted({n for part in problems for n in part.parameter_names if n[0] == "c"})
    problem = lmoo.JointProblem(problems, shared=shared)
    start = {f"camera{k}_{i}": v for k, c in enumerate(scene.cameras) for i, v in enumerate(c)}
    for j, place in enumerate(scene.points):
        start |= {f"{name}[{j}]": v for name, v in zip("xyz", place, strict=True)}
    begin = time.perf_counter()

    def note(record: Any) -> None:
        steps.append((time.perf_counter() - begin - times[0], record.cost))

    x0 = {name: float(start[name]) for name in problem.parameter_names}
    result = lmoo.Solver(ftol=1e-10, xtol=1e-8).solve(problem, x0, callback=note)
    return Course("lmoo arrow", steps, result.nit, f"{result.nfev} + {result.njev}")


def arrow_iteration(scene: Scene) -> float:
    """Return the seconds of what an iteration asks of the arrow model, the least of five times."""
    parts = [Point(scene, j, [0.0]) for j in range(len(scene.points))]
    order = np.argsort(scene.point, kind="stable")
    ends = np.searchsorted(scene.point[order], np.arange(len(parts) + 1))
    blocks, columns = [], []
    for j, part in enumerate(parts):
        seen = scene.camera[order[ends[j] : ends[j + 1]]]
        x = np.concatenate([scene.cameras[seen].ravel(), scene.points[j]])
        ascending = np.argsort(np.repeat(9 * seen, 9) + np.tile(np.arange(9), seen.size))
        slopes = part.jacobian(x)
        shared = slopes[:, :-3][:, ascending]
        blocks.append(np.asfortranarray(np.c_[slopes[:, -3:], shared, part.residual(x)]))
        columns.append(np.sort((9 * seen[:, None] + np.arange(9)).ravel()))
    span = np.concatenate([[0], np.cumsum([where.size for where in columns])])
    model = ArrowLinear(scene.cameras.size, np.full(len(parts), 3), (span, np.concatenate(columns)))
    model.begin()
    diag, errors, times = np.ones(model.n), np.full(model.n, 1e-15), []
    for _ in range(5):
        begin = time.perf_counter()
        model.fill_groups(blocks)
        model.gradient(None, 1.0)
        model.truncate(errors, 1.0)
        model.predict(model.damped(0.0, diag), False, 1.0)
        times.append(time.perf_counter() - begin)
    return min(times)


def by_scipy(scene: Scene) -> Course:
    """Solve with scipy's trf and LSMR."""
    problem, steps = Bundle(scene), []
    begin = time.perf_counter()

    def note(intermediate_result: Any) -> None:
        cost = intermediate_result.cost
        steps.append((time.perf_counter() - begin - problem.seconds, cost))

    result = scipy.optimize.least_squares(
        problem.residual, scene.start, problem.jacobian, method="trf", tr_solver="lsmr",
        x_scale="jac", ftol=1e-10, xtol=1e-8, callback=note, max_nfev=100,
    )  # fmt: skip
    steps.append((time.perf_counter() - begin - problem.seconds, result.cost))
    return Course("scipy trf, lsmr", steps, result.nfev, f"{result.nfev} + {result.njev}")


def by_ceres(scene: Scene) -> Course:
    """Solve with Ceres; the observations of a point are one residual block."""
    import pyceres

    cameras, points = scene.cameras.copy(), scene.points.copy()
    calls = [0, 0]

    class Block(pyceres.CostFunction):  # type: ignore[misc,name-defined]
        def __init__(self, pixels: Array) -> None:
            pyceres.CostFunction.__init__(self)
            self.pixels = pixels
            self.set_num_residuals(pixels.size)
            self.set_parameter_block_sizes([9] * len(pixels) + [3])

        def Evaluate(self, parameters: Any, residuals: Any, jacobians: Any) -> bool:  # noqa: N802
            place = np.broadcast_to(parameters[-1], (len(self.pixels), 3))
            found, slopes = project(np.array(parameters[:-1]), place, jacobians is not None)
            residuals[:] = (found - self.pixels).ravel()
            calls[slopes is not None] += 1
            if slopes is None:
                return True
            for i in range(len(self.pixels)):
                if jacobians[i] is not None:
                    block = np.zeros((len(self.pixels), 2, 9))
                    block[i] = slopes[i, :, :9]
                    jacobians[i][:] = block.ravel()
            if jacobians[-1] is not None:
                jacobians[-1][:] = slopes[:, :, 9:].ravel()
            return True

    steps: list[tuple[float, float]] = []
    spent = [0.0]

    class Note(pyceres.IterationCallback):  # type: ignore[misc,name-defined]
        def __call__(self, summary: Any) -> Any:
            spent[0] += summary.step_solver_time_in_seconds
            steps.append((spent[0], summary.cost))
            return pyceres.CallbackReturnType.SOLVER_CONTINUE

    note = Note()
    task = pyceres.Problem()
    order = np.argsort(scene.point, kind="stable")
    ends = np.searchsorted(scene.point[order], np.arange(len(points) + 1))
    blocks = []
    for j in range(len(points)):
        which = order[ends[j] : ends[j + 1]]
        if which.size:
            blocks.append(Block(scene.pixels[which]))
            seen = [cameras[k] for k in scene.camera[which].tolist()]
            task.add_residual_block(blocks[-1], None, [*seen, points[j]])
    options = pyceres.SolverOptions()
    options.linear_solver_type = pyceres.LinearSolverType.SPARSE_SCHUR
    options.num_threads, options.max_num_iterations = 1, 100
    options.function_tolerance, options.parameter_tolerance = 1e-10, 1e-8
    options.minimizer_progress_to_stdout = False
    options.callbacks, options.update_state_every_iteration = [note], True
    summary = pyceres.SolverSummary()
    pyceres.solve(options, task, summary)
    counted = " + ".join(str(round(count / len(blocks))) for count in calls)
    return Course("Ceres, SPARSE_SCHUR", steps, len(steps), counted)


def main() -> None:
    """Solve the scene with each solver, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cameras", type=int, default=50)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--arrow", action="store_true")
    given = parser.parse_args()
    scene = read_bal(given.file) if given.file else generated(given.cameras, given.points)
    print(
        f"{len(scene.cameras)} cameras, {len(scene.points)} points, {scene.camera.size} "
        f"observations; threads for linear algebra: {os.environ.get('OPENBLAS_NUM_THREADS', 'all')}"
    )
    # Imports and the first calls of the libraries are not measured.
    by_sparse(generated(3, 20))
    by_scipy(generated(3, 20))
    courses = [by_sparse(scene)]
    if given.arrow:
        courses.append(by_arrow(scene))
        print(f"operations of the arrow model, one iteration: {arrow_iteration(scene):.4f} s")
    courses.append(by_scipy(scene))
    try:
        courses.append(by_ceres(scene))
    except ImportError:
        print("Ceres: pyceres is not installed")
    else:
        each = courses[-1].steps[-1][0] / (len(courses[-1].steps) - 1)
        print(f"Ceres' linear solver, one iteration: {each:.4f} s")
    least = min(course.cost for course in courses)
    titles = f"{'cost':>16}{'iterations':>12}{'evaluations':>14}{'seconds':>10}{'to the cost':>13}"
    print(f"{'':28}{titles}")
    for course in courses:
        print(
            f"{course.name:28}{course.cost:16.8g}{course.iterations:12d}{course.evaluations:>14}"
            f"{course.steps[-1][0]:10.3f}{course.until(least * (1 + CLOSE)):13.3f}"
        )


if __name__ == "__main__":
    main()
