print("usercustomize of the image")
