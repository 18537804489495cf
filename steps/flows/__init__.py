"""The bodies of the commands, one module each; the commands themselves are in the folder above."""
