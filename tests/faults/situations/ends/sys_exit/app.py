import sys  # runs

import portrait  # runs

portrait.show()  # runs
try:  # runs
    sys.exit("wanted")  # runs
finally:
    print("finally")  # runs
print("over")  # never
