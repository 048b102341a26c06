import threading  # runs


def body():  # runs
    done.append(1)  # runs


done = []  # runs
threading.stack_size(32768)  # runs
thread = threading.Thread(target=body)  # runs
thread.start()  # runs
thread.join()  # runs
print(done)  # runs
