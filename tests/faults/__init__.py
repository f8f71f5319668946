"""What servers, gateways and networks do wrong, over real sockets: each ends in the right error or the right text."""
