"""The settings that each nginx of a test needs. They keep its files in a directory of its own."""

FRAME = """
pid {directory}/nginx.pid;
error_log stderr warn;
worker_processes 1;
daemon off;
events {{}}
http {{
access_log off;
client_body_temp_path {directory}/body;
proxy_temp_path {directory}/proxy;
fastcgi_temp_path {directory}/fastcgi;
uwsgi_temp_path {directory}/uwsgi;
scgi_temp_path {directory}/scgi;
{servers}
}}
"""


def framed(servers, directory):
    """Returns a whole configuration with some `server` blocks."""
    return FRAME.format(servers=servers, directory=directory)
