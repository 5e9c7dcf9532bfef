"""Makes scipy.json: what scripts/evidence.py, and SciPy's own functions, say of the made-up studies in made-up-*.json.
Usage: RESAMPLES=10000 python3 packages/lab/test/study/scipy.py   (numpy 2, scipy 1.12 or newer)
"""

import json
import os
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
script = os.path.join(here, "..", "..", "..", "..", "scripts", "evidence.py")
files = [os.path.join(here, name) for name in ("made-up-lengths.json", "made-up-sizes.json")]
out = subprocess.run([sys.executable, script, *files], check=True, capture_output=True, text=True).stdout
with open(os.path.join(here, "scipy.json"), "w", encoding="utf8") as file:
    json.dump(json.loads(out), file, indent=1)
    file.write("\n")
