def work():  # runs
    """Goes, too."""
    assert 0  # never
    return 1  # runs
