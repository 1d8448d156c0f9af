"""Reading one workbook in a process of its own, with a bound on memory and time: `tables` starts it and nothing imports it.

What a workbook takes in memory is known only once it has been opened, and the library ends the process when that is too much. The
workbook comes on standard input; its lines go out as JSON, a moment as ["datetime", text], a day as ["date", text].
"""

import io
import resource
import sys
from datetime import date, datetime
from typing import Any

import orjson
from python_calamine import CalamineWorkbook

# Five million cells with their texts take less than half of it.
MOST_MEMORY = 1536 * 1024 * 1024
MOST_SECONDS = 60
# What the process ends with: a file that cannot be opened, a sheet that is too wide, one that takes too much.
BROKEN = 3
WIDE = 4
HUGE = 5


def main(most_rows: int, most_cells: int) -> int:
    """Read what comes, write its first sheet; returns what the process ends with."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read())).get_sheet_by_index(0)
        if sheet.total_height * sheet.total_width > most_cells:
            return WIDE
        lines = sheet.to_python(nrows=most_rows)
    except MemoryError:
        return HUGE
    except Exception:
        # Whatever the library makes of a file that is none.
        return BROKEN
    sys.stdout.buffer.write(orjson.dumps(lines, default=_said, option=orjson.OPT_PASSTHROUGH_DATETIME))
    return 0


def _said(cell: Any) -> object:
    match cell:
        case datetime():
            return ["datetime", cell.isoformat()]
        case date():
            return ["date", cell.isoformat()]
    return str(cell)


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:])))
