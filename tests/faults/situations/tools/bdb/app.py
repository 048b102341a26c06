import bdb  # runs


class Debugger(bdb.Bdb):  # runs
    def user_line(self, frame):
        if frame.f_code.co_name == "debugged":
            print("line", frame.f_lineno)
        self.set_step()


def debugged():  # runs
    a = 1  # runs
    return a + 1  # runs


print(Debugger().runcall(debugged))  # runs
print(debugged())  # runs
