"""Messages over a transport: what a request says and what a response is."""
