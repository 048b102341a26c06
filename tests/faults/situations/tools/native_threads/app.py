import ctypes  # runs


def body(argument):  # runs
    ran.append(argument)  # runs
    return 0  # runs


ran = []  # runs
libc = ctypes.CDLL(None)  # runs
callback = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_size_t)(body)  # runs
handle = ctypes.c_size_t()  # runs
libc.pthread_create(ctypes.byref(handle), None, callback, ctypes.c_void_p(7))  # runs
libc.pthread_join(handle, None)  # runs
print(ran)  # runs
