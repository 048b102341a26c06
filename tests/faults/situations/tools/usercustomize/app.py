import sys  # runs

import portrait  # runs

print(sys.modules["sitecustomize"].VALUE, sys.modules["sitecustomize"].__name__)  # runs
portrait.show()  # runs
