public import ComposeModel

/// A package that the hub lists although its file cannot be used.
public struct UnusablePackage: Hashable, Sendable {
    public let package: KojiPackage
    /// The failure, which names the package, its build, the file and the problem.
    public let failure: ComposeFailure
}
