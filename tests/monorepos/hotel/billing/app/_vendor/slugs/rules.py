RULES = {" ": "-", "ä": "ae"}  # runs
