#include <sys/epoll.h>
#include <sys/eventfd.h>

/* Functions for Swift, which cannot call syscall(2) and ioctl(2) because they take variable arguments.
 * glibc has no wrapper of openat2(2). */
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc defines O_PATH only for _GNU_SOURCE. */
enum { LINUX_O_PATH = __O_PATH };

/* glibc defines AT_EMPTY_PATH only for _GNU_SOURCE as well. The value is that of linux/fcntl.h. */
enum { LINUX_AT_EMPTY_PATH = 0x1000 };

/* Calls openat2(2). Returns -1 and sets errno on failure. `resolve` takes RESOLVE_* flags. */
static inline int linux_openat2(int directory, const char *path, int flags, unsigned long long resolve) {
    struct open_how how = {.flags = (unsigned long long)flags, .mode = 0, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

/* Makes `target` share the blocks of `source`, see FICLONE in ioctl_ficlone(2). Returns -1 and sets
 * errno on failure. */
static inline int linux_clone_file(int target, int source) {
    return ioctl(target, FICLONE, source);
}

/* glibc declares memmem(3) only for _GNU_SOURCE. */
extern void *memmem(const void *haystack, unsigned long haystack_size, const void *needle, unsigned long needle_size);

/* Calls memfd_create(2). The file is closed on exec. Returns -1 and sets errno on failure. */
static inline int linux_memory_file(const char *name) {
    return (int)syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */);
}

/* Calls pipe2(2). Both ends are closed on exec, so that no other child process inherits them. Returns
 * -1 and sets errno on failure. */
static inline int linux_pipe(int ends[2]) {
    return (int)syscall(SYS_pipe2, ends, O_CLOEXEC);
}

/* Calls copy_file_range(2) from and to the current offsets. */
static inline long linux_copy_file_range(int source, int target, unsigned long count) {
    return syscall(SYS_copy_file_range, source, (void *)0, target, (void *)0, count, 0u);
}
#include <sys/pidfd.h>
