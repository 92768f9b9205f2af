#include <sys/epoll.h>
#include <sys/eventfd.h>

/* What Swift cannot call: syscall(2) and ioctl(2) take variable arguments, and glibc has no wrapper of openat2(2). */
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Defined as O_PATH only for _GNU_SOURCE. */
enum { LINUX_O_PATH = __O_PATH };

/* Likewise; as in linux/fcntl.h. */
enum { LINUX_AT_EMPTY_PATH = 0x1000 };

/* openat2(2): -1 and errno on failure. `resolve` takes RESOLVE_* flags. */
static inline int linux_openat2(int directory, const char *path, int flags, unsigned long long resolve) {
    struct open_how how = {.flags = (unsigned long long)flags, .mode = 0, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

/* FICLONE, see ioctl_ficlone(2): makes `target` share the blocks of `source`; -1 and errno on failure. */
static inline int linux_clone_file(int target, int source) {
    return ioctl(target, FICLONE, source);
}

/* Declared only for _GNU_SOURCE. */
extern void *memmem(const void *haystack, unsigned long haystack_size, const void *needle, unsigned long needle_size);

/* memfd_create(2), closed on exec: -1 and errno on failure. */
static inline int linux_memory_file(const char *name) {
    return (int)syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */);
}

/* copy_file_range(2) from and to the current offsets. */
static inline long linux_copy_file_range(int source, int target, unsigned long count) {
    return syscall(SYS_copy_file_range, source, (void *)0, target, (void *)0, count, 0u);
}
#include <sys/pidfd.h>
