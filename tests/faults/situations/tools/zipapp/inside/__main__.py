import pack.part  # runs

import sys  # runs

print(pack.part.work(), sys.argv[0][-7:])  # runs
