// The least that noticing the changes of a repository takes: each document is read, decompressed by ISA-L and compared with the bytes that it had
// before, and read again and checked by SHA-256, on all cores.
//
//   compare STORED PLAIN [STORED PLAIN]...
//
// STORED is a gzip file and PLAIN what is in it. The largest pair comes first. Prints the seconds.
#define PROGRAM "compare"
#include "measure.h"
#include <isa-l/igzip_lib.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <unistd.h>

// The size of the pieces that odcs-server uses.
#define PIECE (128 << 10)

static char **names;
static char **plains;
static size_t *sizes;
static int pairs, next;

static void compare(int pair) {
    unsigned char *in = malloc(PIECE), *out = malloc(PIECE);
    struct inflate_state state;
    size_t compared = 0;
    int file = open(names[2 * pair], O_RDONLY);
    if (file < 0 || !in || !out) fail(names[2 * pair]);
    isal_inflate_init(&state);
    state.crc_flag = ISAL_GZIP;
    while (state.block_state != ISAL_BLOCK_FINISH) {
        ssize_t count = read(file, in, PIECE);
        if (count <= 0) fail(names[2 * pair]);
        state.next_in = in;
        state.avail_in = count;
        do {
            state.next_out = out;
            state.avail_out = PIECE;
            if (isal_inflate(&state) != ISAL_DECOMP_OK) fail("ISA-L");
            size_t made = PIECE - state.avail_out;
            if (made > sizes[pair] - compared || memcmp(out, plains[pair] + compared, made)) fail("other bytes");
            compared += made;
        } while (state.block_state != ISAL_BLOCK_FINISH && (state.avail_in || !state.avail_out));
    }
    close(file);
    free(in);
    free(out);
}

static void check(int pair) {
    unsigned char *in = malloc(PIECE), sum[SHA256_DIGEST_SIZE];
    struct sha256_ctx digest;
    int file = open(names[2 * pair], O_RDONLY);
    if (file < 0 || !in) fail(names[2 * pair]);
    sha256_init(&digest);
    ssize_t count;
    while ((count = read(file, in, PIECE)) > 0) sha256_update(&digest, count, in);
    if (count < 0) fail(names[2 * pair]);
    sha256_digest(&digest, sizeof sum, sum);
    close(file);
    free(in);
}

static void *do_next(void *unused) {
    for (int task; (task = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < 2 * pairs;) task < pairs ? compare(task) : check(task - pairs);
    return unused;
}

int main(int count, char **arguments) {
    pairs = (count - 1) / 2;
    names = arguments + 1;
    plains = calloc(pairs, sizeof *plains);
    sizes = calloc(pairs, sizeof *sizes);
    for (int pair = 0; pair < pairs; pair++) plains[pair] = content(names[2 * pair + 1], &sizes[pair]);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t *threads = calloc(cores, sizeof *threads);
    double begin = now();
    for (long each = 0; each < cores; each++) pthread_create(&threads[each], NULL, do_next, NULL);
    for (long each = 0; each < cores; each++) pthread_join(threads[each], NULL);
    printf("%.6f\n", now() - begin);
}
