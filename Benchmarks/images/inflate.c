// The least that reading a compressed layer takes: its decompression on one core, by ISA-L as odcs-server does, or by libdeflate.
//
//   inflate isal|libdeflate FILE
//
// FILE is one gzip member. Prints the seconds of the decompression, without reading the file.
#define PROGRAM "inflate"
#include "../measure.h"
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <stdint.h>

// Decompresses in pieces of the size that odcs-server uses, and keeps nothing.
static void by_isal(unsigned char *bytes, size_t size) {
    static unsigned char piece[128 << 10];
    struct inflate_state state;
    isal_inflate_init(&state);
    state.crc_flag = ISAL_GZIP;
    state.next_in = bytes;
    state.avail_in = size;
    do {
        state.next_out = piece;
        state.avail_out = sizeof piece;
        if (isal_inflate(&state) != ISAL_DECOMP_OK) fail("ISA-L");
    } while (state.block_state != ISAL_BLOCK_FINISH);
}

static void by_libdeflate(unsigned char *bytes, size_t size) {
    uint32_t plain;
    memcpy(&plain, bytes + size - 4, 4);
    unsigned char *out = malloc(plain);
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    if (!out || libdeflate_gzip_decompress(decompressor, bytes, size, out, plain, NULL) != LIBDEFLATE_SUCCESS) fail("libdeflate");
}

int main(int count, char **arguments) {
    if (count != 3) fail("usage: inflate isal|libdeflate FILE");
    size_t size;
    unsigned char *bytes = (unsigned char *)content(arguments[2], &size);
    double begin = now();
    (strcmp(arguments[1], "isal") ? by_libdeflate : by_isal)(bytes, size);
    printf("%.6f\n", now() - begin);
}
