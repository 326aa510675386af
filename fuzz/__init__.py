"""What does nexios do with bytes that nobody thought of? One target for each parser, for atheris and for the tests.

    python3 dev fuzz                          every target for 60 seconds, two at a time
    python3 dev fuzz cookies urls --seconds 5

A target says what must hold whatever it is given. The same functions run over a fixed corpus in `tests/fuzz`, without
atheris, so that none of them can rot.
"""
