import sys  # runs

import portrait  # runs

print(sys.modules["sitecustomize"].__file__)  # runs
print("usercustomize" in sys.modules, sys.flags.no_user_site)  # runs
portrait.show()  # runs
