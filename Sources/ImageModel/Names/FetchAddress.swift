import ForeignText

/// The address of an image in a build system: `docker://[HOST/]IMAGE;digest=sha256:…[;tag=TAG]`.
/// An ordinary reference is accepted as well, with or without `docker://`.
///
/// The tag is `latest` if the address names none.
public struct FetchAddress: Hashable, Sendable, CustomStringConvertible {
    public let repository: ImageRepository
    /// The tag that the address names. It must be the tag of the digest, if there is one.
    public let namedTag: ImageTag?
    public var tag: ImageTag { namedTag ?? .latest }
    /// The digest of the manifest or index. Nil if the address has none.
    public let digest: ImageDigest?

    /// Throws ``ImageProblem`` if the text is not an address.
    public init(_ text: some StringProtocol) throws(ImageProblem) {
        guard text.utf8.count <= 1024 else {
            throw ImageProblem(.badReference, "\(text.quoted) is too long to be the address of an image.")
        }
        let scheme = "docker://"
        var rest = Substring(text)
        if rest.utf8.starts(with: scheme.utf8) {
            rest = rest.dropFirst(scheme.count)
        } else if rest.utf8.split(separator: UInt8(ascii: ";")).first.map({ String($0) ?? "" })?.contains("://") ?? false {
            throw ImageProblem(.badReference, "\(text.quoted) does not begin with docker://, and no other scheme is known.")
        }
        var parts = rest.split(separator: ";", omittingEmptySubsequences: false)
        let reference = try ImageReference(parts.removeFirst())
        var (tag, digest) = (reference.tag, reference.digest)
        for part in parts {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else {
                throw ImageProblem(.badReference, "\(part.quoted) in \(text.quoted) is not a parameter, as tag=latest is one.")
            }
            switch pair[0] {
            case "tag":
                let value = try ImageTag(pair[1])
                guard tag == nil || tag == value else { throw Self.twice("tags", text) }
                tag = value
            case "digest":
                let value = try ImageDigest(pair[1])
                guard digest == nil || digest == value else { throw Self.twice("digests", text) }
                digest = value
            default:
                throw ImageProblem(.badReference, "\(pair[0].quoted) in \(text.quoted) is not known. The parameters are digest and tag.")
            }
        }
        self.init(reference.repository, tag: tag, digest: digest)
    }

    public init(_ repository: ImageRepository, tag: ImageTag? = nil, digest: ImageDigest?) {
        self.repository = repository
        namedTag = tag
        self.digest = digest
    }

    /// The address in the form of build systems. Example: `docker://debian;digest=sha256:…;tag=12`.
    public var description: String {
        "docker://\(repository.familiarName)" + (digest.map { ";digest=\($0)" } ?? "") + (namedTag.map { ";tag=\($0)" } ?? "")
    }

    /// The address with a digest, for the line that a user adds.
    public func pinned(to digest: ImageDigest) -> FetchAddress { FetchAddress(repository, tag: namedTag, digest: digest) }

    private static func twice(_ what: String, _ text: some StringProtocol) -> ImageProblem {
        ImageProblem(.badReference, "\(text.quoted) has two different \(what).")
    }
}
