"""Pickles read without being run: opcodes are followed; nothing is imported, called or built."""
