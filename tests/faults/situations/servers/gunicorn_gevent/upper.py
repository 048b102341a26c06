"""What runs here stands above what runs in lower.py: a line of the one that is taken for the other's shows."""

import gevent  # runs


def work():  # runs
    total = 0  # runs
    for number in range(3):  # runs
        total += step(number)  # runs
    return total  # runs


def step(number):  # runs
    gevent.sleep(0.001 * number)  # runs
    return number  # runs


def unused(number):  # runs
    number += 1  # never
    number += 2  # never
    number += 3  # never
    number += 4  # never
    number += 5  # never
    number += 6  # never
    number += 7  # never
    number += 8  # never
    return number  # never
