"""python -m doorstep: the operators' door."""

import sys

from doorstep.site.cli import main

sys.exit(main(sys.argv[1:]))
