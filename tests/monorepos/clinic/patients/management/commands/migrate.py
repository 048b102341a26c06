import importlib  # runs


def handle():  # runs
    module = importlib.import_module("patients.migrations.0001_initial")  # runs
    for operation in module.operations:  # runs
        print(operation)  # runs
