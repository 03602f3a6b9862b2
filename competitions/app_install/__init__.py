"""App install: whether a click on a mobile advertisement leads to an install of the app, in a stream of mostly worthless clicks."""
