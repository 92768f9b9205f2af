import SystemPackage

/// What was written of a compose.
struct WrittenTree: Sendable {
    /// What is to become the compose's directory, below the target directory.
    let directory: FilePath
    /// What productmd's metadata calls the compose.
    let composeID: String
    /// RPMs in all trees, a noarch one once for each tree that has it.
    let packages: Int
    /// Of those files, as their metadata says.
    let bytes: Int
    /// What was made, in a few words: `84 packages`.
    let summary: String
    /// What is not as the request would have it. Sentences.
    let findings: [String]
    /// That of the ``PackageChoice`` that it was written of; `nil` where there is no choice.
    var packagesKey: String?

    /// `1 package`, `2 packages`.
    static func summary(ofPackages count: Int) -> String { count == 1 ? "1 package" : "\(count) packages" }
}
