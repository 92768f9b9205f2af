#include <sys/epoll.h>
#include <sys/eventfd.h>

/* Functions for Swift, which cannot call syscall(2) and ioctl(2) because they take variable arguments.
 * glibc has no wrapper of openat2(2). */
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <malloc.h>
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

/* The status of an open file. For Swift, `struct stat` belongs to any of the modules that include its
 * header. Which one it is changes with the dependencies of a target. This header does not include it. */
struct linux_status {
    long long size;
    unsigned long long inode;
    /* The part of the mode that S_IFMT selects. */
    unsigned int kind;
    /* The time of modification since 1970. */
    long long seconds;
    long long nanoseconds;
};

/* Calls statx(2) for an open file. Returns -1 and sets errno on failure. */
static inline int linux_status_of(int file, struct linux_status *status) {
    struct statx all;
    if (syscall(SYS_statx, file, "", LINUX_AT_EMPTY_PATH, STATX_BASIC_STATS, &all) != 0) return -1;
    status->size = (long long)all.stx_size;
    status->inode = all.stx_ino;
    status->kind = all.stx_mode & 0170000;
    status->seconds = all.stx_mtime.tv_sec;
    status->nanoseconds = all.stx_mtime.tv_nsec;
    return 0;
}

/* Makes `target` share the blocks of `source`, see FICLONE in ioctl_ficlone(2). Returns -1 and sets
 * errno on failure. */
static inline int linux_clone_file(int target, int source) {
    return ioctl(target, FICLONE, source);
}

/* Makes allocations of `size` bytes or more mappings of their own, which free(3) returns to the system,
 * see mallopt(3). */
static inline void linux_map_allocations_from(int size) {
    mallopt(M_MMAP_THRESHOLD, size);
    mallopt(M_TRIM_THRESHOLD, 4 * size);
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

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#if defined(__x86_64__)
#define LINUX_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define LINUX_AUDIT_ARCH AUDIT_ARCH_AARCH64
#endif

/* Takes from this process, from all its threads and children, and for ever, the right to open a socket,
 * to run another program and to enter a namespace. Such a call fails with EPERM. Returns -1 and sets
 * errno on failure, or if the processor has no number in this list. */
static inline int linux_renounce_network_and_programs(void) {
#ifdef LINUX_AUDIT_ARCH
    static const unsigned forbidden[] = {
        SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv,
        SYS_process_vm_writev, SYS_unshare, SYS_setns, SYS_mount, SYS_io_uring_setup, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
        SYS_keyctl, SYS_add_key, SYS_open_by_handle_at,
    };
    enum { count = sizeof forbidden / sizeof forbidden[0], head = 4 };
    struct sock_filter program[head + count + 2] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, LINUX_AUDIT_ARCH, 0, count + 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        /* Numbers from here on are those of another set of calls, x32. */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, count + 1, 0),
    };
    for (unsigned i = 0; i < count; i++)
        program[head + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, forbidden[i], (unsigned char)(count - i), 0);
    program[head + count] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program[head + count + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog filter = {.len = head + count + 2, .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
#else
    errno = ENOSYS;
    return -1;
#endif
}
