from app.main import error_page


def test_error_page():
    assert error_page() == "<h1>sold out</h1>"
