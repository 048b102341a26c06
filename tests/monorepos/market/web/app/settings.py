API = "http://api:8000"  # runs
