import multiprocessing  # runs
import sys  # runs


def work(n):  # runs
    if n == 7:  # runs
        return rare()  # runs
    return n  # runs


def rare():  # runs
    return 1000  # runs


if __name__ == "__main__":  # runs
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:  # runs
        print(sum(pool.map(work, range(20))))  # runs
