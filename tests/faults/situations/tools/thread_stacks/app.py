import _thread  # runs
import sys  # runs
import threading  # runs
import time  # runs
import traceback  # runs


def body():  # runs
    time.sleep(0.05)  # runs
    traceback.print_stack()  # runs


class Fails:  # runs
    def __repr__(self):  # runs
        return "what fails"  # runs

    def __call__(self):  # runs
        raise ValueError("wanted")  # runs


thread = threading.Thread(target=body)  # runs
thread.start()  # runs
for ident, frame in sys._current_frames().items():  # runs
    if ident != threading.get_ident():  # runs
        while frame.f_back:  # runs
            frame = frame.f_back  # runs
        print(frame.f_code.co_name)  # runs
thread.join()  # runs
_thread.start_new_thread(Fails(), ())  # runs
time.sleep(0.05)  # runs
