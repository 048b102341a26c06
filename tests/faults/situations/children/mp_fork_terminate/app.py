import multiprocessing  # runs
import sys  # runs
import time  # runs


def work(started):  # runs
    started.set()  # runs
    time.sleep(60)  # runs
    print("over")  # never


if __name__ == "__main__":  # runs
    context = multiprocessing.get_context(sys.argv[1])  # runs
    started = context.Event()  # runs
    process = context.Process(target=work, args=(started,))  # runs
    process.start()  # runs
    started.wait()  # runs
    time.sleep(0.25)  # runs
    process.terminate()  # runs
    process.join()  # runs
    print(process.exitcode)  # runs
