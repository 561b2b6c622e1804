"""The Python interface: `competition.open(".")`. A notebook can do what a command can do; the commands use it too.

`opened` has the competition itself. Next to it lies the work behind single commands: each takes plain values, and
returns a frozen record.
"""

from competition.api.opened import Competition as Competition
from competition.api.opened import InterruptedRunError as InterruptedRunError
from competition.api.opened import find_paths as find_paths
from competition.api.opened import open_competition as open_competition
