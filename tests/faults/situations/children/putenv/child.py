import inside  # runs

print(inside.VALUE)  # runs
