// The least that reading a compressed layer takes: its decompression on one core, by ISA-L as odcs-server does, or by libdeflate.
//
//   inflate isal|libdeflate FILE
//
// FILE is one gzip member. Prints the seconds of the decompression, without reading the file.
#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static void fail(const char *what) {
    fprintf(stderr, "inflate: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

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
    struct stat status;
    FILE *file = count == 3 ? fopen(arguments[2], "rb") : NULL;
    if (!file || fstat(fileno(file), &status)) fail("usage: inflate isal|libdeflate FILE");
    unsigned char *bytes = malloc(status.st_size);
    if (!bytes || fread(bytes, 1, status.st_size, file) != (size_t)status.st_size) fail(arguments[2]);
    double begin = now();
    (strcmp(arguments[1], "isal") ? by_libdeflate : by_isal)(bytes, status.st_size);
    printf("%.6f\n", now() - begin);
}
