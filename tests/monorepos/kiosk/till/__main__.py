import argparse  # runs
import time  # runs

from shared import cash  # runs
from till import article_codes  # runs
from till.printing import receipt  # runs


def main():  # runs
    parser = argparse.ArgumentParser()  # runs
    parser.add_argument("--drawer", type=int, required=True)  # runs
    drawer = parser.parse_args().drawer  # runs
    receipt.show(drawer, cash.total([article_codes.PRICES["tea"], 250]))  # runs
    while True:  # runs
        time.sleep(0.1)  # runs


if __name__ == "__main__":  # runs
    main()  # runs
