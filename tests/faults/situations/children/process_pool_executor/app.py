from concurrent.futures import ProcessPoolExecutor  # runs


def work(n):  # runs
    return n * 2  # runs


if __name__ == "__main__":  # runs
    with ProcessPoolExecutor(2) as pool:  # runs
        print(list(pool.map(work, range(5))))  # runs
