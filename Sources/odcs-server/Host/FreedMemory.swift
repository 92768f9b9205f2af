import CLinux

/// The memory that a process has freed.
///
/// A worker loads a pool of some 20 MiB for each new revision of a repository. By default, glibc keeps
/// blocks of up to 32 MiB for later use, in a heap for each thread. With each revision, other threads
/// keep other blocks.
enum FreedMemory {
    /// The size in bytes from which a block is returned to the system when it is freed.
    private static let returnedFrom: Int32 = 1 << 20

    /// Returns large blocks to the system from now on, as soon as they are freed.
    static func returnAtOnce() { linux_map_allocations_from(returnedFrom) }
}
