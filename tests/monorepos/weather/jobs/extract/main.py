import os  # runs in extract
import pathlib  # runs in extract

import stations  # runs in extract

target = pathlib.Path(os.environ["DATA"], "raw")  # runs in extract
target.write_text("\n".join(stations.read()))  # runs in extract
