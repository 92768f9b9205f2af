import CLinux
import Glibc
public import SystemPackage

/// A *confinement* takes rights from this process that it does not need to read a stranger's file. It
/// cannot be undone.
public struct Confinement: Sendable {
    /// The most seconds of processor time.
    public let seconds: Int
    /// The most bytes of address space.
    public let memory: Int

    public init(seconds: Int, memory: Int) {
        self.seconds = seconds
        self.memory = memory
    }

    /// Enters the confinement: no network, no other program, no core dump, and limits of time, memory and
    /// the size of written files.
    public func enter() throws(Errno) {
        // SQLite writes the index of a -wal file, which is 32 KiB for each 4,000 pages of the log.
        let limits: [(__rlimit_resource, Int)] = [
            (RLIMIT_CPU, seconds), (RLIMIT_AS, memory), (RLIMIT_FSIZE, 16 << 20), (RLIMIT_CORE, 0), (RLIMIT_NOFILE, 64),
        ]
        for (resource, most) in limits {
            var limit = rlimit(rlim_cur: rlim_t(most), rlim_max: rlim_t(most))
            guard setrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { throw Errno(rawValue: errno) }
        }
        guard linux_renounce_network_and_programs() == 0 else { throw Errno(rawValue: errno) }
    }
}
