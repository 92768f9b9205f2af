/// A package of a compose, as `compose.lock.json` lists it.
public struct LockedPackage: Hashable, Sendable, Decodable {
    /// The reason why the package is in the compose.
    public struct Reason: Hashable, Sendable, Decodable {
        private struct Name: Hashable, Decodable {
            let name: String
            let epoch: Int
            let version: String
            let release: String
            let arch: String

            var text: String { "\(name)-\(epoch == 0 ? "" : "\(epoch):")\(version)-\(release).\(arch)" }
        }

        private struct Details: Decodable {
            let package: Name?
            let of: Name?
        }

        /// The kind of the reason. Example: `requiredBy`.
        public let kind: String
        /// The package that this one is there for, as name, epoch, version, release and architecture. `nil` if
        /// the request itself is the reason.
        public let cause: String?

        public init(from decoder: any Decoder) throws {
            // The document has one member, whose name is the kind.
            let members = try decoder.singleValueContainer().decode([String: Details].self)
            kind = members.first?.key ?? ""
            cause = (members.first?.value).flatMap { ($0.package ?? $0.of)?.text }
        }
    }

    /// The name, epoch, version, release and architecture. Example: `bash-5.2-1.x86_64`.
    public let nevra: String
    /// The reason in a sentence. Example: `required by bash-5.2-1.x86_64 (libtinfo)`.
    public let why: String
    public let reason: Reason
    /// The checksum of the package's file.
    public let checksum: String
    /// The size of the package's file in bytes.
    public let size: Int
    /// The checksum of the repomd.xml of the repository that has the package.
    public let repomd: String
    /// The path or address of the package's file there.
    public let location: String
    /// The path of the package's file below the directory of the repositories. If the compose refers to the
    /// file, this is its address.
    public let path: String
    /// The module and stream. Example: `nodejs:18`. `nil` if the package is not modular.
    public let module: String?
    /// The build in Koji, as name, version and release. `nil` if the package does not come from Koji.
    public let build: String?
    /// The tag that has the build. `nil` if the request named the build.
    public let tag: String?
    /// The key that has signed the package's file. `nil` for an unsigned file.
    public let key: String?
    /// Other keys that have signed the package, whose files were not taken.
    public let otherKeys: [String]?
    /// Other builds of the package that the repositories have, as name, epoch, version, release and
    /// architecture. The newest one is first.
    public let otherBuilds: [String]?
    /// The repositories with another file of the same name, version and architecture, by the checksums of
    /// their repomd.xml.
    public let otherFiles: [String]?

    private enum CodingKeys: String, CodingKey {
        case nevra, why, reason, checksum, size, repomd, location, path, module, build, tag, key
        case otherKeys = "other_keys"
        case otherBuilds = "other_builds"
        case otherFiles = "other_files"
    }

    /// The tree that the package is in: a base architecture, or `source`. Example: `x86_64`.
    public var tree: Substring { path.prefix { $0 != "/" } }
}
