label = {{ title }}
