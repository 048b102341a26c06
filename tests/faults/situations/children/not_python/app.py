import subprocess  # runs

print(subprocess.run(["env"], env={"A": "1"}, stdout=subprocess.PIPE).stdout)  # runs
