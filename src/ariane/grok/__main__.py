"""`python -m ariane.grok script.py [arguments]`: the script as it stands, with Grok known."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> int:
    """Run a script as `python script.py` would; importing this package has done the rest."""
    if not arguments or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m ariane.grok script.py [arguments]\n")
        return 2
    script = Path(arguments[0])
    if not script.is_file():
        sys.stderr.write(f"ariane.grok: {script} is no file.\n")
        return 2
    sys.argv = list(arguments)
    sys.path[0] = str(script.resolve().parent)
    runpy.run_path(str(script), run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
