SECRET_KEY = "not a secret"  # runs
ALLOWED_HOSTS = ["*"]  # runs
ROOT_URLCONF = "urls"  # runs
MIDDLEWARE = ["urls.middleware"]  # runs
LOGGING_CONFIG = None  # runs
