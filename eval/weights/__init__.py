"""The small published networks that ship with the project, made from the wheels they are published in."""
