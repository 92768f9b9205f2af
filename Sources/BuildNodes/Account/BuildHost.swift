import Glibc

/// The host of a worker, as a check before the start of a service sees it.
public enum BuildHost {
    /// Returns why images cannot be built here as a user: programs that are not installed, and an account
    /// that lacks something.
    ///
    /// - Parameters:
    ///   - account: The name of the account that builds if this process runs as root.
    ///   - hasNode: Whether there is a local node. Without one, only a process of root needs the account,
    ///     which reads rpmdbs of images.
    public static func failures(account: String, hasNode: Bool = true) -> [NodeFailure] {
        var failures = hasNode ? RequiredProgram.missing().map(\.failure) : []
        guard hasNode || geteuid() == 0 else { return failures }
        do throws(NodeFailure) { _ = try BuildAccount(named: account) } catch { failures.append(error) }
        return failures
    }

    /// Returns why nodes over ssh cannot be used from here, or nil if they can.
    ///
    /// - Parameter path: The directories with programs.
    public static func failureOfSSH(in path: String? = nil) -> NodeFailure? {
        (path.map { RequiredProgram.missing([.ssh], in: $0) } ?? RequiredProgram.missing([.ssh])).first?.failure
    }
}
