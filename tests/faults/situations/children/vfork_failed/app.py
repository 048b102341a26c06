import subprocess  # runs

try:  # runs
    subprocess.run(["/nowhere/program"], env={"A": "1"})  # runs
    print("over")  # never
except FileNotFoundError as error:  # runs
    print(error)  # runs
