"""The limit of reading a compressed layer: its decompression alone, on one core."""
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


class Inflation:
    """Decompresses a layer with the libraries that are known to be fast. odcs-server uses ISA-L."""

    LIBRARIES = ("isal", "libdeflate")

    def __init__(self, program, layer):
        self._command = [program, layer.path]
        subprocess.run(["cc", "-O2", "-o", program, f"{HERE}/inflate.c", "-lisal", "-ldeflate"], check=True)

    def measure(self):
        """Returns the seconds that the faster library takes."""
        program, path = self._command
        return min(float(subprocess.run([program, library, path], check=True, capture_output=True).stdout) for library in self.LIBRARIES)
