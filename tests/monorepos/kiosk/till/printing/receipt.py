from typing import Optional  # runs


def show(drawer, total, note=None):  # runs
    # type: (int, int, Optional[str]) -> None
    text = f"{drawer=} {total=}"  # runs
    if note:  # runs
        text += f" ({note})"
    with open("/receipts/last", "w") as file:  # runs
        file.write(text)  # runs
    print(text)  # runs
