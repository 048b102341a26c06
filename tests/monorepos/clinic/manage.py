#!/usr/bin/env python
import os  # runs
import sys  # runs


def main():  # runs
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")  # runs
    from clinic.commands import execute  # runs

    execute(sys.argv[1:])  # runs


if __name__ == "__main__":  # runs
    main()  # runs
