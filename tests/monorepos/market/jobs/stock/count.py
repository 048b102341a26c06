import urllib.request  # runs

from jobs.stock import log  # runs

if __name__ == "__main__":  # runs
    with urllib.request.urlopen("http://api:8000") as answer:  # runs
        log.write(answer.read().decode())  # runs
