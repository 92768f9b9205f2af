/// A package of a `compose.lock.json` by its parts.
struct LockedNEVRA: Decodable, Sendable {
    let name: String
    let epoch: Int
    let version: String
    let release: String
    let arch: String

    var text: String { "\(name)-\(epoch == 0 ? "" : "\(epoch):")\(version)-\(release).\(arch)" }
}

/// A package that a source has, and that was not taken. Another one of the same name and version, whose
/// file differs, comes first.
struct LockedOverruled: Decodable, Sendable {
    let package: LockedNEVRA
    /// The base architecture of the tree.
    let arch: String
    /// The source that has the package, in words.
    let listing: String
    /// The source whose package was taken, in words. It is the same one if it has several.
    let taken: String

    /// Why the package was not taken, as a sentence without its end.
    var reason: String {
        listing == taken
            ? "\(listing) has more than one \(package.text) for \(arch), and they differ; the first is taken"
            : "\(package.text) is not the same in \(taken) and in \(listing); that of \(taken) is taken for \(arch)"
    }
}
