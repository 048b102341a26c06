import multiprocessing  # runs
import sys  # runs


def work(n):  # runs
    if n == 7:  # runs
        return rare()  # runs
    return n  # runs


def rare():  # runs
    return 1000  # runs


if __name__ == "__main__":  # runs
    pool = multiprocessing.get_context(sys.argv[1]).Pool(2)  # runs
    print(sum(pool.map(work, range(20))))  # runs
    pool.close()  # runs
    pool.join()  # runs
