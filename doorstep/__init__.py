"""Doorstep (家门口): the software that runs a tight-knit medical consortium."""
