def resize(path):  # runs
    print("resized", path.read_text()[:2], flush=True)  # runs


def send_reminder(patient):  # runs
    print("dear", patient.name)
