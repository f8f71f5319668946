"""Servers of tools that speak the Model Context Protocol (PROTOCOLS: revisions 2024-11-05 to 2026-07-28).

`servers.McpServers` holds those of a conversation; `server.McpServer` keeps one of them running. The official package
`mcp` does the protocol; it takes over a second to import, so `library` loads it when the first server is started.
What a server says is untrusted: names and schemas are made harmless in `names` and `schemas`, texts are only data.
"""
