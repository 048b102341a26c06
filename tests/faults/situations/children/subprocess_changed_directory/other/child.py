import sys  # runs

import sibling  # runs

print(sibling.VALUE, [entry[-6:] for entry in sys.path[:1]])  # runs
