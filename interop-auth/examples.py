"""The examples of docs/security.md, as files of the servers that the tests start."""

import re
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "security.md"

# The part of the page about a server behind a proxy.
BEHIND_PROXY = "A proxy that knows your users"


def blocks(first_word):
    """Returns pairs of the section of an example and its text, for examples that begin with a word."""
    section, found = "", []
    for paragraph in re.split(r"\n(?=## )", PAGE.read_text()):
        section = paragraph.split("\n", 1)[0].lstrip("# ")
        for text in re.findall(r"(?:^ {4,}.*\n|^\n(?= {4}))+", paragraph, re.MULTILINE):
            lines = [line for line in text.splitlines() if line.strip()]
            indent = min(len(line) - len(line.lstrip()) for line in lines)
            lines = [line[indent:] for line in lines]
            if lines[0].split()[0] in first_word:
                found.append((section, "\n".join(lines) + "\n"))
    return found


def localized(text, directory):
    """Replaces the names of an example by those of the tests."""
    text = text.replace("example.org", "example.test").replace("EXAMPLE.ORG", "EXAMPLE.TEST")
    text = text.replace("dc=org", "dc=test").replace("DC=org", "DC=test")
    return text.replace("/etc/odcs/", f"{directory}/").replace("/etc/nginx/", f"{directory}/nginx/")


def settings(directory, behind_proxy, host):
    """Returns the configuration that all examples of one kind of server make together.

    The examples have two levels of keys in common, such as `auth` and `auth.openid`. Examples of the
    same second level, such as two providers, are put below each other.
    """
    parts, mechanisms = {}, []
    for section, text in blocks(["frontend:", "auth:"]):
        if (section == BEHIND_PROXY) != behind_proxy:
            continue
        text = re.sub(r"^  host: .*$", f"  host: {host}", localized(text, directory), flags=re.MULTILINE)
        for line in text.splitlines():
            if not line.startswith(" "):
                first = line
            elif line.startswith("  mechanisms: ["):
                mechanisms += [name for name in line[15:-1].split(", ") if name not in mechanisms]
            elif not line.startswith("   "):
                second = line
                parts.setdefault(first, {}).setdefault(second, [])
            else:
                parts[first][second].append(line)
    parts["auth:"][f"  mechanisms: [{', '.join(mechanisms)}]"] = []
    lines = []
    for first, rest in parts.items():
        lines.append(first)
        for second, members in rest.items():
            lines += [second, *members]
    return "\n".join(lines) + "\n"


def nginx(directory):
    """Returns the servers of the page for nginx.

    They listen at addresses of their own, and have names of their own. The service knows one name.
    """
    servers = [localized(text, directory).replace("$host", "odcs.example.test") for _, text in blocks(["server"])]
    assert len(servers) == 2
    certificates, login = servers
    certificates = certificates.replace("listen 443", "listen 127.0.0.2:443")
    return certificates + login.replace("listen 443", "listen 127.0.0.5:443")
