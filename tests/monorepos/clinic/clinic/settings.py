INSTALLED_APPS = ["patients"]  # runs
DEBUG = True  # runs
if not DEBUG:  # runs
    ALLOWED_HOSTS = ["clinic.example"]
