import importlib  # runs


def decode(sample):  # runs
    name, _, text = sample.partition(":")  # runs
    return importlib.import_module(f"ingest.formats.as_{name}").decode(text)  # runs
