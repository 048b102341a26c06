operations = ["create table patients"]  # runs
