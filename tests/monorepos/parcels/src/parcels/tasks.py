from tracking import carrier  # runs


def parcel(number):  # runs
    print(number, "goes", carrier(number))  # runs


def sweep(text):  # runs
    print("swept")  # runs


def bill(text):  # runs
    print("billed")
