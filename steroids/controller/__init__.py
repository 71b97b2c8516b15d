"""The host daemon: HTTP over unix sockets, and the loop that keeps things as they should be."""
