public import ComposeModel

/// A package that the hub lists and whose file cannot be used.
public struct UnusablePackage: Hashable, Sendable {
    public let package: KojiPackage
    /// Names the package, its build and the file, and says what is wrong with it.
    public let failure: ComposeFailure
}
