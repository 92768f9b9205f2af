import ComposeModel
import ContentSources

/// A Koji origin says where Koji has a package of a compose, and which of its files was taken.
///
/// Example: the build `ed-1.14.2-2.fc26`, which `f26-updates` inherits from `f26`, signed by
/// `64dab85d`.
struct KojiOrigin: Hashable, Sendable {
    /// The build as name, version and release, or for example "task 123".
    let build: String
    /// The tags from the compose's tag to the tag that has the build. Empty if the request named the build.
    let tags: [String]
    /// The key that has signed the file. Empty for the unsigned file.
    let key: String
    /// The other keys that have signed the package. They are known if the request has keys.
    let otherKeys: [String]

    init(_ copy: PackageCopy, ways: [KojiPackage.Tag: [String]]) {
        build = copy.package.build
        tags = copy.package.tag.flatMap { ways[$0] ?? [$0.name] } ?? []
        key = copy.key
        otherKeys = copy.package.keys.filter { $0 != copy.key }.uniqued()
    }
}
