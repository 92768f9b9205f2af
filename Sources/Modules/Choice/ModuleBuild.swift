/// A build of a module that a compose may take, as one of the places where modules come from knows it.
public struct ModuleBuild: Hashable, Sendable {
    /// A base module, as `platform`, that a build was made against.
    public struct Base: Hashable, Sendable {
        public let name: String
        public let stream: String
        /// The stream as a number that can be compared; `nil` where it has none.
        public let streamVersion: Double?

        public init(name: String, stream: String, streamVersion: Double?) {
            self.name = name
            self.stream = stream
            self.streamVersion = streamVersion
        }
    }

    /// The modules that stand for the version of the system where nobody says otherwise: those of Fedora and RHEL.
    public static let baseModules: Set<String> = ["platform", "bootstrap"]

    /// What its modulemd document says, which for this purpose is the same for all architectures.
    public let stream: ModuleStream
    /// The tag of Koji that has its packages; `nil` where they come from a repository.
    public let kojiTag: String?
    public let bases: [Base]
    /// The number of a scratch build in the Module Build Service, which alone has its documents; `nil` for any other build.
    public let scratchID: Int?

    public var id: NSVC { stream.id }

    public init(stream: ModuleStream, kojiTag: String? = nil, bases: [Base] = [], scratchID: Int? = nil) {
        self.stream = stream
        self.kojiTag = kojiTag
        self.bases = bases
        self.scratchID = scratchID
    }
}

extension ModuleBuild.Base {
    /// The base modules that a document says a build runs on, for a place that tells nothing else of it.
    static func required(by stream: ModuleStream) -> [ModuleBuild.Base] {
        stream.requirements.joined().filter { ModuleBuild.baseModules.contains($0.module) }.flatMap { requirement in
            requirement.streams.sorted().map { Self(name: requirement.module, stream: $0, streamVersion: version(ofStream: $0)) }
        }
    }

    /// As the Module Build Service numbers streams, with two digits each for what follows the first number: 80200 for `el8.2.0`, 260000 for `f26`.
    static func version(ofStream stream: String) -> Double? {
        let digits = stream.drop { !("0"..."9").contains($0) }.prefix { ("0"..."9").contains($0) || $0 == "." }
        let parts = digits.split(separator: ".").prefix(3).map { Double($0) ?? 0 }
        guard let first = parts.first else { return nil }
        return parts.dropFirst().enumerated().reduce(first * 10_000) { $0 + $1.element * ($1.offset == 0 ? 100 : 1) }
    }
}
