import inside  # runs
import portrait  # runs

portrait.show()  # runs
print(inside.VALUE)  # runs
