CREAM = "#fffdd0"
