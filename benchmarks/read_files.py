"""Time to read a data file of a million rows by the command line's reader, and to fit it.

Usage: python benchmarks/read_files.py [rows]
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lmoo.cli.reading import read_table

WAYS = {
    "commas": "{:.6g},{:.8g},{:.4g}\n",
    "tabs": "{:.6g}\t{:.8g}\t{:.4g}\n",
    "white space": " {:.6g}  {:.8g}  {:.4g}\n",
    "decimal commas": "{:.6g};{:.8g};{:.4g}\n",
}


def written(folder: Path, rows: int) -> dict[str, Path]:
    """Write the files; every tenth row of the last one has a missing value."""
    rng = np.random.default_rng(1)
    t = np.linspace(0.0, 10.0, rows)
    y = 2.5 * np.exp(-1.3 * t) + 0.5 + rng.normal(0.0, 0.01, rows)
    table = list(zip(t.tolist(), y.tolist(), rng.uniform(0.9, 1.1, rows).tolist(), strict=True))
    files = {}
    for way, form in WAYS.items():
        text = "".join([form.format(*row) for row in table])
        text = text.replace(".", ",") if way == "decimal commas" else text
        files[way] = folder / f"{way.replace(' ', '-')}.txt"
        files[way].write_text(text)
    files["missing values"] = folder / "missing.csv"
    lines = files["commas"].read_text().split("\n")
    lines[::10] = [line.rpartition(",")[0] + ",NA" if line else line for line in lines[::10]]
    files["missing values"].write_text("\n".join(lines))
    return files


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        files = written(Path(name), rows)
        for way, path in files.items():
            begin = time.perf_counter()
            table = read_table(str(path)).complete([0, 1, 2])
            columns = [table.numbers(column) for column in range(3)]
            seconds = time.perf_counter() - begin
            print(f"{way:15}  {columns[0].size} rows of 3 columns  {seconds:6.2f} s")
        command = [sys.executable, "-m", "lmoo", "fit", str(files["commas"]), "a*exp(-b*t) + c"]
        begin = time.perf_counter()
        subprocess.run([*command, "--y", "2"], check=True, capture_output=True)
        print(f"the whole of `lmoo fit`, two columns  {time.perf_counter() - begin:6.2f} s")


if __name__ == "__main__":
    main()
