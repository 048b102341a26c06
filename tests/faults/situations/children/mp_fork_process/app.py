import multiprocessing  # runs
import sys  # runs

import portrait  # runs


def work(n):  # runs
    portrait.show()  # runs
    sys.exit(n)  # runs


if __name__ == "__main__":  # runs
    context = multiprocessing.get_context(sys.argv[1])  # runs
    process = context.Process(target=work, args=(3,))  # runs
    process.start()  # runs
    process.join()  # runs
    print(process.exitcode)  # runs
