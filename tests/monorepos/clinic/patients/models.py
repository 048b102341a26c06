class Patient:  # runs
    def __init__(self, name):  # runs
        self.name = name  # runs in web

    def discharge(self):  # runs
        self.name = None
