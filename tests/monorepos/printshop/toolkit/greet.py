print("the toolkit is built")  # runs in toolkit
