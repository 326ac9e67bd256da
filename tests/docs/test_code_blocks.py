"""Code of the documentation that needs packages which the doctests cannot rely on."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmoo

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs"
T = np.linspace(0.0, 4.0, 4000)
Y = 3.0 * np.exp(-0.5 * T) + 0.01 * np.cos(37.0 * T)


def block(page: str, first: str, language: str = "python") -> str:
    """The code block of a page that begins with this line."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.findall(rf"code-block:: {language}\n\n((?:   .*\n|\n)+)", text)
    (code,) = (one for one in map(textwrap.dedent, found) if one.startswith(first))
    return code


def run(code: str, **names: Any) -> dict[str, Any]:
    # Classes of __main__ are pickled with their code.
    names = {"__name__": "__main__", "np": np, "lmoo": lmoo, **names}
    exec(compile(code, "block", "exec"), names)
    return names


@pytest.fixture
def client() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def local(code: str) -> str:
    """The code with the client of the test in place of a cluster's."""
    assert 'Client("scheduler:8786")' in code
    return code.replace('Client("scheduler:8786")', "local")


def test_curves_on_a_cluster(client: Any) -> None:
    array = pytest.importorskip("dask.array")

    def decay(t: Any, a: float, b: float) -> Any:
        return a * np.exp(-b * t)

    found = run(
        local(block("howto/clusters.rst", "from distributed import Client")),
        local=client,
        decay=decay,
        times=array.from_array(T, chunks=1000),
        values=array.from_array(Y, chunks=1000),
    )["result"]
    assert found.success
    np.testing.assert_allclose(found.x, [3.0, 0.5], rtol=1e-2)


def test_frames_on_a_cluster(client: Any, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pytest.importorskip("dask.dataframe")
    pandas = pytest.importorskip("pandas")
    code = local(block("large.rst", "import dask.dataframe as dd"))
    read = 'dd.read_parquet("s3://bucket/measurements/")'
    assert read in code
    table = pandas.DataFrame({"t": T, "y": Y})
    frames = frame.from_pandas(table, npartitions=4)
    names = run(code.replace(read, "table"), local=client, table=frames)
    np.testing.assert_allclose(names["steps"].result.x, [3.0, 0.5], rtol=1e-2)
    assert "Converged" in capsys.readouterr().out


def test_a_residual_by_numba() -> None:
    pytest.importorskip("numba")
    t, y = T[::200], Y[::200]
    problem = run(block("extending.rst", "from numba import cfunc"), math=math, t=t, y=y)["problem"]
    result = lmoo.Solver().solve(problem, [1.0, 1.0])
    assert result.success
    np.testing.assert_allclose(result.x, [3.0, 0.5], rtol=1e-2)


def test_the_script_of_lmfit_prints_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("lmfit")
    data = lmoo.datasets.nist("Gauss2")
    run(block("lmfit.rst", "from lmfit.models import"), x=data.x, y=data.y)
    printed = capsys.readouterr().out
    listed = block("lmfit.rst", "chi-square", "text")
    for name, value in re.findall(r"(?m)^(\w+): +([\d.]+) ", listed):
        (found,) = re.findall(rf"(?m)^ *{name}: +([\d.]+) ", printed)
        assert float(found) == pytest.approx(float(value), rel=1e-6)
