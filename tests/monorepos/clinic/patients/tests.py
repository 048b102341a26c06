from patients.models import Patient


def test_patient():
    assert Patient("Ada").name == "Ada"
