import runpy  # runs
import time  # runs

import pricing  # runs
from saw import _bisect, blades, pages  # runs
from saw.common.words import plural  # runs

RULES = ["width > 3", "width > 3 and width < 90"]  # runs


def judge(width):  # runs
    rules = [compile(rule, f"rule-{number}", "eval") for number, rule in enumerate(RULES)]  # runs
    return all(eval(rule, {"width": width}) for rule in rules)  # runs


rates = runpy.run_path("saw/rates.conf")  # runs
print(judge(20), plural("board"), blades.sharpen(3), pricing.price(rates["oak"]))  # runs
print(_bisect.bisect_right([1, 2, 3], 2), _bisect.__file__)  # runs
print(pages.render("offer.html", title="oak"), pages.render("label.py", title="oak"), flush=True)  # runs
time.sleep(600)  # runs
