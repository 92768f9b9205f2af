/// The host of a local node, as a check before the start of a service sees it.
public enum BuildHost {
    /// Returns why images cannot be built here as a user: programs that are not installed, and an account
    /// that lacks something.
    ///
    /// - Parameter account: The name of the account that builds if this process runs as root.
    public static func failures(account: String) -> [NodeFailure] {
        var failures = RequiredProgram.missing().map(\.failure)
        do throws(NodeFailure) { _ = try BuildAccount(named: account) } catch { failures.append(error) }
        return failures
    }
}
