URLS = {"/": "index"}
