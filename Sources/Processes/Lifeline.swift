import CLinux
import Glibc
import SystemPackage

/// A *lifeline* ties a program, with all that it starts, to the life of this process.
///
/// The program runs in a process-id namespace. The init process of the namespace reads from a pipe
/// whose other end this process holds. If this process ends for any reason, even by `kill -9`, the pipe
/// closes. Init then kills every process of the namespace. A process cannot escape, not even with
/// setsid(2). When the program ends, every process that it has left behind is killed by the kernel.
/// A canceled program is asked to end through the pipe too: a signal to its group would end the
/// processes outside of the namespace first, and the program could not clean up.
///
/// `PR_SET_PDEATHSIG` does not serve: it fires when the thread ends that has started the program.
public struct Lifeline: Sendable {
    /// The command that gets the right to create namespaces, for example `buildah unshare --`.
    let entry: [String]
    private let options: [String]

    /// A lifeline for programs of this user. An ordinary user gets a user namespace in which only its own
    /// number is known.
    public init() {
        entry = []
        options = geteuid() == 0 ? [] : ["--user", "--map-current-user"]
    }

    /// - Parameter entry: A command that runs the command that follows it as root, or as root of a user
    ///   namespace. Example: `["buildah", "unshare", "--"]`.
    public init(entry: [String]) {
        self.entry = entry
        options = []
    }

    /// Returns the command that runs a program on the lifeline. Its standard input must be the reading end
    /// of the pipe. Its status is that of the program. If a signal ended the program, its status is
    /// 128 and the number of the signal.
    func command(_ program: String, _ arguments: [String]) -> [String] {
        entry + ["unshare"] + options
            + ["--pid", "--fork", "--kill-child", "--mount-proc", "--", "sh", "-c", Self.initProcess, "lifeline", program] + arguments
    }

    /// The init process of the namespace. Number -1 means every process of the namespace but init and the
    /// sender. The program is no background job, because sh(1) would let it ignore SIGINT.
    private static let initProcess = """
        exec 3<&0 </dev/null
        (read -r _ <&3 && { kill -TERM -1; read -r _ <&3; }; kill -KILL -1) >/dev/null 2>&1 &
        "$@" 3<&-
        exit $?
        """
}

/// The pipe of a lifeline. An empty line asks every process of the namespace to end. The end of the
/// pipe kills them.
struct LifelinePipe {
    /// This process keeps the reading end open as well, so that a line never raises SIGPIPE.
    let reading: FileDescriptor
    /// While this process has this end open, the program may run.
    let holding: FileDescriptor

    init() throws(Errno) {
        var ends: [CInt] = [-1, -1]
        guard linux_pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
        reading = FileDescriptor(rawValue: ends[0])
        holding = FileDescriptor(rawValue: ends[1])
    }

    func askToEnd() { _ = try? holding.writeAll("\n".utf8) }

    func close() {
        try? reading.close()
        try? holding.close()
    }
}
