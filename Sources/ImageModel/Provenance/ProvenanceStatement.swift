/// A *provenance statement* says how an image was made. in-toto Attestation Framework, "Statement" v1,
/// with the predicate of SLSA, "Provenance" v1.
///
/// Its subjects are the manifest list and the manifest of each platform. So an image that was pulled
/// for one platform has the statement as well.
///
/// Equal builds have equal bytes, because every time in it comes from the build's row.
public struct ProvenanceStatement: Hashable, Sendable, Codable {
    public static let type = "https://in-toto.io/Statement/v1"
    public static let predicateType = "https://slsa.dev/provenance/v1"
    public static let buildType = "urn:odcs:image-build:v1"

    /// A manifest that the statement is about.
    public struct Subject: Hashable, Sendable, Codable {
        /// The repository. Example: `registry.example.org/team/web`.
        public var name: String
        /// The hexadecimal digits, by the name of the algorithm.
        public var digest: [String: String]

        public init(name: String, digest: ImageDigest) {
            self.name = name
            self.digest = [digest.algorithm.rawValue: digest.hex]
        }

        /// Whether this is the manifest with that digest.
        public func matches(_ other: ImageDigest) -> Bool { digest[other.algorithm.rawValue] == other.hex }
    }

    /// A material of the build.
    public struct Dependency: Hashable, Sendable, Codable {
        public var name: String
        public var uri: String?
        public var digest: [String: String]?

        public init(name: String, uri: String? = nil, digest: [String: String]? = nil) {
            self.name = name
            self.uri = uri
            self.digest = digest
        }

        init(name: String, uri: String? = nil, digest: ImageDigest?) {
            self.init(name: name, uri: uri, digest: digest.map { [$0.algorithm.rawValue: $0.hex] })
        }

        /// The digest as this service writes digests, if it has one.
        public var imageDigest: ImageDigest? {
            digest?.lazy.compactMap { try? ImageDigest("\($0.key):\($0.value)") }.first
        }
    }

    public struct Predicate: Hashable, Sendable, Codable {
        public var buildDefinition: BuildDefinition
        public var runDetails: RunDetails
    }

    public struct BuildDefinition: Hashable, Sendable, Codable {
        public var buildType: String
        public var externalParameters: Parameters
        public var internalParameters: Circumstances
        public var resolvedDependencies: [Dependency]
    }

    /// The choices of the requester. It has no values of build arguments, because they may be secret.
    public struct Parameters: Hashable, Sendable, Codable {
        public var image: String
        public var platforms: [String]
        /// The names of the build arguments.
        public var arguments: [String]
        public var network: BuildNetwork
        public var update: Bool
    }

    /// The choices of the service.
    public struct Circumstances: Hashable, Sendable, Codable {
        public var build: Int
        public var causes: [BuildCause]
        public var platforms: [PlatformRecord]
    }

    /// One platform of the build.
    public struct PlatformRecord: Hashable, Sendable, Codable {
        public var platform: String
        public var digest: ImageDigest
        /// Nil if the worker did not record it.
        public var node: String?
        public var isolation: String?
        /// `read`, `none` for an image without an rpmdb, or `unknown`.
        public var contents: String
        /// The digest of the SBOM. So a signature of the statement is one of the SBOM too.
        public var sbom: ImageDigest?
    }

    public struct RunDetails: Hashable, Sendable, Codable {
        public var builder: Builder
        public var metadata: Metadata
    }

    public struct Builder: Hashable, Sendable, Codable {
        public var id: String
    }

    public struct Metadata: Hashable, Sendable, Codable {
        public var invocationId: String
        /// Example: `2026-11-29T12:26:40Z`.
        public var startedOn: String?
    }

    public var type: String
    public var subject: [Subject]
    public var predicateType: String
    public var predicate: Predicate

    enum CodingKeys: String, CodingKey {
        case type = "_type"
        case subject, predicateType, predicate
    }
}

extension ProvenanceStatement {
    /// The facts of a finished build.
    public struct Facts: Sendable {
        public var repository: ImageRepository
        /// The digest of the manifest list.
        public var list: ImageDigest
        public var origins: [Platform: StepOrigin]
        public var contents: [Platform: Contents]
        /// The digest of the SBOM of each manifest that has one.
        public var bills: [ImageDigest: ImageDigest]
        public var causes: [BuildCause]
        /// The service that built. Example: `https://odcs.example.org/`.
        public var builder: String

        public init(
            repository: ImageRepository, list: ImageDigest, origins: [Platform: StepOrigin], contents: [Platform: Contents],
            bills: [ImageDigest: ImageDigest], causes: [BuildCause], builder: String
        ) {
            self.repository = repository
            self.list = list
            self.origins = origins
            self.contents = contents
            self.bills = bills
            self.causes = causes
            self.builder = builder
        }
    }

    /// Makes the statement about a build whose platforms are pushed.
    public init(_ build: Build, _ facts: Facts) {
        let done = build.steps.compactMap { step in step.platform.flatMap { platform in step.digest.map { (platform, $0) } } }
            .sorted { $0.0 < $1.0 }
        type = Self.type
        predicateType = Self.predicateType
        subject = ([facts.list] + done.map(\.1)).map { Subject(name: facts.repository.description, digest: $0) }
        let definition = build.request.definition
        predicate = Predicate(
            buildDefinition: BuildDefinition(
                buildType: Self.buildType,
                externalParameters: Parameters(
                    image: facts.repository.description, platforms: definition.platforms.map(\.description),
                    arguments: definition.arguments.keys.sorted(), network: definition.network, update: definition.update),
                internalParameters: Circumstances(
                    build: build.id, causes: facts.causes,
                    platforms: done.map { platform, digest in
                        PlatformRecord(
                            platform: platform.description, digest: digest, node: facts.origins[platform]?.node,
                            isolation: facts.origins[platform]?.isolation, contents: facts.contents[platform].stateName,
                            sbom: facts.bills[digest])
                    }),
                resolvedDependencies: Self.dependencies(of: build, done.compactMap { facts.origins[$0.0] })),
            runDetails: RunDetails(
                builder: Builder(id: facts.builder),
                metadata: Metadata(invocationId: "build \(build.id)", startedOn: build.timeStarted?.inDocuments)))
    }

    private static func dependencies(of build: Build, _ origins: [StepOrigin]) -> [Dependency] {
        var dependencies: [Dependency] = []
        switch build.request.definition.source {
        case .containerfile: break
        case .git(let url, _, let folder):
            let commit = build.pins?.commit.map { ["gitCommit": $0] }
            let place = folder.isEmpty ? "" : "#:\(folder)"
            dependencies.append(Dependency(name: "source", uri: "git+\(withoutUser(url))\(place)", digest: commit))
        case .archive(let digest): dependencies.append(Dependency(name: "context", digest: digest))
        }
        for digest in Set(origins.map(\.containerfile)).sorted() { dependencies.append(Dependency(name: "Containerfile", digest: digest)) }
        for (name, digest) in (build.pins?.images ?? [:]).sorted(by: { $0.key < $1.key }) {
            dependencies.append(Dependency(name: "base", uri: "docker://\(name)", digest: digest))
        }
        var locks: [Int: ImageDigest?] = [:]
        for compose in origins.flatMap(\.composes) { locks[compose.id] = .some(locks[compose.id]?.flatMap(\.self) ?? compose.lock) }
        for id in Set(build.composes).union(locks.keys).sorted() {
            dependencies.append(Dependency(name: "compose \(id)", digest: locks[id]?.flatMap(\.self)))
        }
        return dependencies
    }

    /// The address without a user name and a password.
    private static func withoutUser(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return url }
        return String(url[..<scheme.upperBound] + rest[rest.index(after: at)...])
    }

    /// The bytes of the statement. They are the same for the same statement.
    public var bytes: [UInt8] { BoundedJSON.encode(self) }

    /// Reads a statement that anyone may have written.
    public init(_ bytes: [UInt8]) throws(ImageProblem) {
        self = try BoundedJSON.decode(Self.self, from: bytes, "The statement")
        guard type == Self.type, predicateType == Self.predicateType else {
            throw ImageProblem(.unsupported, "The statement is not about the provenance of an image.")
        }
    }
}

extension Contents? {
    fileprivate var stateName: String {
        switch self?.state {
        case .read: "read"
        case .some(.none): "none"
        case .unknown, nil: "unknown"
        }
    }
}
