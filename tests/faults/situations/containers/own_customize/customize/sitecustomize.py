print("sitecustomize of the image")
