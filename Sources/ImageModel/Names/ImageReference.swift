import ForeignText

/// A *repository* is the name of images in a registry, without tag and digest. Example:
/// `docker.io/library/debian`.
///
/// Each component of the path begins and ends with a lowercase letter or digit. So no component is
/// `..`, and a path of files can be made from them.
public struct ImageRepository: Hashable, Sendable, CustomStringConvertible {
    /// The most bytes of host and path together (`NameTotalLengthMax` of distribution).
    public static let mostBytes = 255

    public let host: RegistryHost
    /// For example `library/debian`.
    public let path: String

    /// The components of the path, for example `library` and `debian`.
    public var components: [Substring] { path.split(separator: "/") }

    /// Creates a repository from host and path. The path is not completed: `debian` stays `debian`.
    public init(host: RegistryHost, path: some StringProtocol) throws(ImageProblem) {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if let wrong = parts.first(where: { !Self.isComponent(Array($0)) }) {
            throw ImageProblem(
                .badReference,
                "\(String(decoding: wrong, as: UTF8.self).quoted) in the name \(path.quoted) must be lowercase letters and digits, "
                    + "separated by a dot, one or two underscores, or hyphens.")
        }
        guard host.description.utf8.count + 1 + path.utf8.count <= Self.mostBytes else {
            throw ImageProblem(.badReference, "The name \(path.quoted) is longer than \(Self.mostBytes) bytes with its host.")
        }
        self.host = host
        self.path = String(path)
    }

    /// For example `docker.io/library/debian`.
    public var description: String { "\(host)/\(path)" }

    /// The short name that docker shows, for example `debian` for `docker.io/library/debian`.
    public var familiarName: String {
        guard host == .dockerHub else { return description }
        return path.hasPrefix("library/") && components.count == 2 ? String(path.dropFirst("library/".count)) : path
    }

    /// Whether the text is `path-component`: `[a-z0-9]+`, separated by `.`, `_`, `__` or hyphens.
    private static func isComponent(_ text: [UInt8]) -> Bool {
        var separator: [UInt8] = []
        guard text.first?.isLowercaseOrDigit ?? false, text.last?.isLowercaseOrDigit ?? false else { return false }
        for byte in text {
            if byte.isLowercaseOrDigit {
                let isUsual = separator.count <= 1 || separator.allSatisfy { $0 == UInt8(ascii: "-") } || separator == Array("__".utf8)
                guard isUsual else { return false }
                separator = []
            } else if ".-_".utf8.contains(byte) {
                separator.append(byte)
            } else {
                return false
            }
        }
        return true
    }
}

/// A *tag* is a name for an image in its repository that can move. Example: `bookworm-slim`.
///
/// It has letters, digits, `_`, `.` and `-`, at most 128, and does not begin with `.` or `-`. So it is
/// safe as part of a path.
public struct ImageTag: Hashable, Comparable, Sendable, CustomStringConvertible {
    public static let latest = ImageTag(unchecked: "latest")

    public let text: String

    init(unchecked text: String) { self.text = text }

    /// Throws ``ImageProblem`` if the text is not a tag.
    public init(_ text: some StringProtocol) throws(ImageProblem) {
        let isTag = (1...128).contains(text.utf8.count) && text.utf8.first.map { $0.isLetterOrDigit || $0 == UInt8(ascii: "_") } ?? false
        guard isTag, text.utf8.allSatisfy({ $0.isLetterOrDigit || "_.-".utf8.contains($0) }) else {
            throw ImageProblem(
                .badReference,
                "\(text.quoted) is not a tag. It must have 1 to 128 letters, digits, _, . and -, and must not begin with . or -.")
        }
        self.text = String(text)
    }

    public var description: String { text }

    public static func < (a: ImageTag, b: ImageTag) -> Bool { a.text < b.text }
}

extension ImageTag: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do throws(ImageProblem) {
            try self.init(text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// A *reference* names an image: `[HOST/]PATH[:TAG][@DIGEST]`. Examples: `debian`,
/// `registry.example.org:5000/team/web:2026.1@sha256:…`.
///
/// The grammar and the defaults are those of the package `reference` of distribution. The first
/// component is a host if it has a dot, a colon or a capital letter, or is `localhost`. A name without
/// a host means Docker Hub, where a path of one component is below `library/`.
public struct ImageReference: Hashable, Sendable, CustomStringConvertible {
    public let repository: ImageRepository
    public let tag: ImageTag?
    public let digest: ImageDigest?

    public init(_ repository: ImageRepository, tag: ImageTag? = nil, digest: ImageDigest? = nil) {
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    /// Throws ``ImageProblem`` if the text is not a reference.
    public init(_ text: some StringProtocol) throws(ImageProblem) {
        guard text.utf8.count <= 700 else { throw ImageProblem(.badReference, "\(text.quoted) is too long to be the name of an image.") }
        var rest = Substring(text)
        var (digest, tag) = (ImageDigest?.none, ImageTag?.none)
        if let at = rest.utf8.firstIndex(of: UInt8(ascii: "@")) {
            digest = try ImageDigest(rest[rest.utf8.index(after: at)...])
            rest = rest[..<at]
        }
        let lastSlash = rest.utf8.lastIndex(of: UInt8(ascii: "/")) ?? rest.startIndex
        if let colon = rest[lastSlash...].utf8.firstIndex(of: UInt8(ascii: ":")) {
            tag = try ImageTag(rest[rest.utf8.index(after: colon)...])
            rest = rest[..<colon]
        }
        self.init(try Self.repository(rest, in: text), tag: tag, digest: digest)
    }

    /// The canonical form, with host and complete path. Example: `docker.io/library/debian:12`.
    public var description: String { "\(repository)\(suffix)" }

    /// The short form that docker shows. Example: `debian:12`.
    public var familiarName: String { "\(repository.familiarName)\(suffix)" }

    /// The reference with the tag `latest` if it has neither tag nor digest.
    public var withDefaultTag: ImageReference {
        tag == nil && digest == nil ? ImageReference(repository, tag: .latest) : self
    }

    private var suffix: String { (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "") }

    private static func repository(_ name: Substring, in text: some StringProtocol) throws(ImageProblem) -> ImageRepository {
        guard !name.isEmpty else { throw ImageProblem(.badReference, "\(text.quoted) has no name of an image.") }
        let isIdentifier = name.utf8.count == 64 && name.utf8.allSatisfy(ImageDigest.isLowercaseDigit)
        guard !isIdentifier else {
            throw ImageProblem(.badReference, "\(text.quoted) is the id of an image. A name of an image in a registry is needed.")
        }
        if let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")), RegistryHost.isHost(name[..<slash].utf8) {
            let host = try RegistryHost(name[..<slash])
            let path = name[name.utf8.index(after: slash)...]
            return try ImageRepository(host: host, path: host == .dockerHub ? onDockerHub(path) : String(path))
        }
        return try ImageRepository(host: .dockerHub, path: onDockerHub(name))
    }

    private static func onDockerHub(_ path: Substring) -> String {
        path.utf8.contains(UInt8(ascii: "/")) ? String(path) : "library/\(path)"
    }
}
