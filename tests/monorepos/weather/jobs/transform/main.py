import os  # runs
import pathlib  # runs

import units  # runs

data = pathlib.Path(os.environ["DATA"])  # runs
rows = [line.split() for line in (data / "raw").read_text().splitlines()]  # runs
if os.environ.get("UNIT") == "K":  # runs
    rows = [(name, units.kelvin(int(value))) for name, value in rows]  # runs
(data / "table.part").write_text("\n".join(f"{name}: {value}" for name, value in rows))  # runs
(data / "table.part").rename(data / "table")  # runs
