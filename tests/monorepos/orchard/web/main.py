import time  # runs

import dates  # runs
import pages  # runs

print(pages.index(dates.season(11)))  # runs
time.sleep(600)  # runs
