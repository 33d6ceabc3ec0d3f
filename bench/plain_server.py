"""D-Tale alone as a WSGI application: frames in memory, and no users.

BENCH_ROWS has the number of rows of each frame.
"""

import os

from answer import mixed
from dtale.app import build_app
from dtale.views import startup

application = build_app(reaper_on=False)
for rows in os.environ["BENCH_ROWS"].split():
    startup(data=mixed(int(rows)), ignore_duplicate=True)
