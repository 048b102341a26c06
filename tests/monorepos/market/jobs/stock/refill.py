print("refilled")  # runs in api
