import gc  # runs

print(gc.isenabled(), gc.get_threshold(), gc.garbage, gc.callbacks)  # runs
gc.freeze()  # runs
gc.collect()  # runs
print(gc.get_freeze_count() > 0)  # runs
gc.disable()  # runs


def after():  # runs
    return 1  # runs


after()  # runs
