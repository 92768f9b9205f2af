import SystemPackage

/// A written tree describes the files that an attempt has written for a compose.
struct WrittenTree: Sendable {
    /// The directory, below the target directory, that becomes the compose's directory.
    let directory: FilePath
    /// The compose's name in productmd's metadata. Example: `odcs-12-1-20261121.t.0`.
    let composeID: String
    /// The number of RPMs in all trees. A noarch package counts once for each tree that has it.
    let packages: Int
    /// The total size of the RPMs in bytes, or 0 if the compose does not contain their files. The sizes
    /// come from the packages' metadata. For a compose that Pungi made, they come from the files.
    let bytes: Int
    /// The result in a few words. Example: `84 packages`.
    let summary: String
    /// Sentences about points in which the compose differs from the request.
    let findings: [String]
    /// The key of the ``PackageChoice`` that the tree was written from, or `nil` if there was no choice.
    var packagesKey: String?

    /// Returns the number of packages in words. Examples: `1 package`, `2 packages`.
    static func summary(ofPackages count: Int) -> String { count == 1 ? "1 package" : "\(count) packages" }
}
