"""What the extension module beside it replaces."""


def bisect_right(boards, width):
    return sum(board <= width for board in boards)
