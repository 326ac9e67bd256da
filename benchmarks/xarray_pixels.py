"""curvefit of 20,000 pixels: lmoo.integrations.xarray against xarray's own method.

Usage: python benchmarks/xarray_pixels.py [pixels] [pixels for xarray's own]
"""

import sys
import time

import numpy as np
import xarray as xr

from lmoo.integrations.xarray import curvefit


def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def image(pixels: int) -> xr.DataArray:
    rng = np.random.default_rng(1)
    t = xr.DataArray(np.linspace(0, 4, 40), dims="t", coords={"t": np.linspace(0, 4, 40)})
    rate = xr.DataArray(rng.uniform(0.5, 2.0, pixels), dims="pixel")
    return decay(t, 2.5, rate, 0.5) + rng.normal(0, 0.01, (pixels, 40))


def seconds(function, *args) -> float:
    begin = time.perf_counter()
    function(*args)
    return time.perf_counter() - begin


def main() -> None:
    pixels = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    few = int(sys.argv[2]) if len(sys.argv) > 2 else pixels
    data = image(pixels)
    curvefit(data[:10], "t", decay)
    ratios = []
    for _ in range(3 if few == pixels else 1):
        ours = seconds(curvefit, data, "t", decay)
        own = seconds(data[:few].curvefit, "t", decay) * pixels / few
        ratios.append(own / ours)
        print(f"{pixels} pixels: lmoo {ours:.3f} s, xarray {own:.2f} s, ratio {ratios[-1]:.0f}")
    print(f"median ratio {np.median(ratios):.0f}")


if __name__ == "__main__":
    main()
