"""Makes the simulators' package importable in tests that need no host."""
import os
import sys

from hosts import SIMULATORS

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(SIMULATORS, "lib"))
