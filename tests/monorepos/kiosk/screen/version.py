BUILD = "@build@"
