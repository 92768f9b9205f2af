"""read_repo_file.py FILE: a .repo file as plain INI, printed as JSON: section -> key -> value."""
import configparser
import json
import sys

parser = configparser.ConfigParser(interpolation=None, strict=True)
with open(sys.argv[1]) as file:
    parser.read_file(file)
print(json.dumps({section: dict(parser[section]) for section in parser.sections()}))
