NAME = "staging"
