"""The counterpart of upper.py."""

import gevent  # runs


def unused(number):  # runs
    number += 1  # never
    number += 2  # never
    number += 3  # never
    number += 4  # never
    number += 5  # never
    number += 6  # never
    return number  # never


# 15


def work():  # runs
    total = 0  # runs
    for number in range(3):  # runs
        total += step(number)  # runs
    return total  # runs


def step(number):  # runs
    gevent.sleep(0.001 * (3 - number))  # runs
    return number  # runs
