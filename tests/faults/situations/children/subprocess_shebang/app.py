import os  # runs
import subprocess  # runs

os.chmod("script", 0o755)  # runs
print(subprocess.run(["./script"], env={"PATH": os.environ["PATH"]}).returncode)  # runs
