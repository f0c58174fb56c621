"""How much of what can go wrong is tried. `CALLCENTER_ALL_FAULTS=1` tries everything, which takes minutes."""

import os
from typing import Final

ALL: Final = os.environ.get("CALLCENTER_ALL_FAULTS") == "1"
