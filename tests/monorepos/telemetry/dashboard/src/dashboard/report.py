def main():
    print("nothing to report")
