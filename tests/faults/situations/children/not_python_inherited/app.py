import subprocess  # runs

print(subprocess.run(["env"], stdout=subprocess.PIPE).stdout.decode().count("COVERAGE_ENABLE"))  # runs
