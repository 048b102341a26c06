VALUE = 1  # never
