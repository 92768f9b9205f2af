// The least that making a repository takes: hard links to its packages, and its metadata compressed by zlib; or by libdeflate, as odcs-server does.
//
//   floor zlib|libdeflate LEVEL LINKS METADATA TARGET
//
// LINKS has a line for each package: where it is, a tab, and where it goes below TARGET. METADATA names a document, not compressed, in each line.
// Prints the seconds that the links took and those of the compression, and the compressed bytes.
#define PROGRAM "floor"
#include "measure.h"
#include <libdeflate.h>
#include <unistd.h>
#include <zlib.h>

static void make_folders(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0755) && errno != EEXIST) fail(path);
        *slash = '/';
    }
}

// Compresses the bytes to gzip, into memory of its own; says how many bytes that became.
static size_t by_zlib(int level, const char *bytes, size_t size, unsigned char **compressed) {
    z_stream stream = {0};
    if (deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) fail("zlib");
    size_t room = deflateBound(&stream, size);
    *compressed = malloc(room);
    stream.next_in = (unsigned char *)bytes;
    stream.avail_in = size;
    stream.next_out = *compressed;
    stream.avail_out = room;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) fail("zlib");
    deflateEnd(&stream);
    return stream.total_out;
}

static size_t by_libdeflate(int level, const char *bytes, size_t size, unsigned char **compressed) {
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);
    size_t room = libdeflate_gzip_compress_bound(compressor, size);
    *compressed = malloc(room);
    size_t written = libdeflate_gzip_compress(compressor, bytes, size, *compressed, room);
    if (!written) fail("libdeflate");
    libdeflate_free_compressor(compressor);
    return written;
}

int main(int count, char **arguments) {
    if (count != 6) {
        fprintf(stderr, "usage: floor zlib|libdeflate LEVEL LINKS METADATA TARGET\n");
        return 64;
    }
    int is_zlib = !strcmp(arguments[1], "zlib"), level = atoi(arguments[2]);
    const char *target = arguments[5];
    size_t size;
    char *links = content(arguments[3], &size), *documents = content(arguments[4], &size), *rest;
    char path[4096];

    double begin = now();
    for (char *line = strtok_r(links, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *name = strchr(line, '\t');
        *name++ = 0;
        snprintf(path, sizeof path, "%s/%s", target, name);
        if (link(line, path)) {
            if (errno != ENOENT) fail(path);
            make_folders(path);
            if (link(line, path)) fail(path);
        }
    }
    double linked = now();

    size_t written = 0;
    int number = 0;
    for (char *line = strtok_r(documents, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *bytes = content(line, &size);
        unsigned char *compressed;
        size_t packed = (is_zlib ? by_zlib : by_libdeflate)(level, bytes, size, &compressed);
        snprintf(path, sizeof path, "%s/%d.xml.gz", target, number++);
        FILE *file = fopen(path, "wb");
        if (!file || fwrite(compressed, 1, packed, file) != packed || fclose(file)) fail(path);
        written += packed;
        free(compressed);
        free(bytes);
    }
    printf("%.6f %.6f %zu\n", linked - begin, now() - linked, written);
}
