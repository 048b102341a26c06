import importlib.abc  # runs
import importlib.util  # runs
import os  # runs
import sys  # runs


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):  # runs
    def find_spec(self, name, path=None, target=None):  # runs
        print("asked for", name)  # runs
        if name == "invented":  # runs
            return importlib.util.spec_from_loader(name, self)  # runs

    def create_module(self, spec):  # runs
        return None  # runs

    def exec_module(self, module):  # runs
        path = os.path.abspath("source.py")  # runs
        with open(path) as file:  # runs
            exec(compile(file.read(), path, "exec"), module.__dict__)  # runs


sys.meta_path.insert(0, Finder())  # runs
import invented  # runs

print(invented.VALUE)  # runs
