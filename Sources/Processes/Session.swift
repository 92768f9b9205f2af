import CLinux
import Glibc

/// A session is all processes that a child has started, and the child itself, which leads the session.
/// Only a process that called setsid(2) itself is no longer part of it. One task after the other uses a
/// session.
final class Session {
    /// The number of the child, or `nil` until it has started.
    var leader: pid_t?

    /// Kills all processes of the session. Returns when none is left that was not killed.
    ///
    /// While the session has a member, its number is not given to another process. So no signal reaches an
    /// unrelated process as long as a member is left.
    func kill() {
        guard let leader else { return }
        Glibc.kill(-leader, SIGKILL)
        // A killed process starts no other one. A process that was started during a round is found by the next
        // round.
        var killed: Set<pid_t> = []
        while true {
            let found = Self.processes { pid in getsid(pid) == leader && !killed.contains(pid) }
            if found.isEmpty { return }
            for pid in found { Self.kill(pid, of: leader) }
            killed.formUnion(found)
        }
    }

    /// Kills the process if it is a member of the session. The descriptor keeps meaning the process that
    /// was looked at, even if that process ends and its number is given to another one.
    private static func kill(_ pid: pid_t, of leader: pid_t) {
        let process = pidfd_open(pid, 0)
        guard process >= 0 else { return }
        defer { close(process) }
        if getsid(pid) == leader { _ = pidfd_send_signal(process, SIGKILL, nil, 0) }
    }

    /// Returns the numbers of all processes of this host that fulfill a condition.
    private static func processes(where isWanted: (pid_t) -> Bool) -> [pid_t] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var found: [pid_t] = []
        while let entry = readdir(directory) {
            if let pid = withUnsafeBytes(of: &entry.pointee.d_name, number), isWanted(pid) { found.append(pid) }
        }
        return found
    }

    /// Returns the number that a text is. Returns `nil` if it is none. A byte with the value zero ends it.
    private static func number(_ text: UnsafeRawBufferPointer) -> pid_t? {
        var number = 0
        for byte in text {
            if byte == 0 { break }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), number < pid_t.max / 10 else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number > 0 ? pid_t(number) : nil
    }
}
