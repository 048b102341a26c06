import pathlib  # runs

from patients.models import Patient  # runs


def patients(environ):  # runs
    return "200 OK", ", ".join(patient.name for patient in [Patient("Ada"), Patient("Alan")])  # runs


def upload(environ):  # runs
    for queue in range(2):  # runs
        pathlib.Path(f"/uploads/{queue}.new").write_text("scan")  # runs
    return "200 OK", "queued"  # runs


def missing(environ):  # runs
    return "404 Not Found", "nothing here"
