/// A build of a module that a compose may use, with the knowledge of one catalog about it.
public struct ModuleBuild: Hashable, Sendable {
    /// A base module that a build was made against, such as `platform`.
    public struct Base: Hashable, Sendable {
        public let name: String
        public let stream: String
        /// The stream as a number that can be compared, or `nil` if it has no number. Example: 80200 for
        /// `el8.2.0`.
        public let streamVersion: Double?

        public init(name: String, stream: String, streamVersion: Double?) {
            self.name = name
            self.stream = stream
            self.streamVersion = streamVersion
        }
    }

    /// The modules that stand for the version of the system, unless the configuration names others. These
    /// are the ones of Fedora and RHEL.
    public static let baseModules: Set<String> = ["platform", "bootstrap"]

    /// The content of its modulemd document. The parts that matter here are the same for all architectures.
    public let stream: ModuleStream
    /// The Koji tag that has its packages, or `nil` if they come from a repository.
    public let kojiTag: String?
    public let bases: [Base]
    /// The number of a scratch build in the Module Build Service, which alone has its documents. `nil` for
    /// any other build.
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
    /// Returns the base modules that a build runs on according to its document. It is used for catalogs
    /// that report nothing else about them.
    ///
    /// - Parameter baseModules: The names of the base modules.
    static func required(by stream: ModuleStream, among baseModules: Set<String>) -> [ModuleBuild.Base] {
        stream.requirements.joined().filter { baseModules.contains($0.module) }.flatMap { requirement in
            requirement.streams.sorted().map { Self(name: requirement.module, stream: $0, streamVersion: version(ofStream: $0)) }
        }
    }

    /// Returns the number that the Module Build Service gives a stream. The numbers after the first get two
    /// digits each: 80200 for `el8.2.0`, 260000 for `f26`.
    static func version(ofStream stream: String) -> Double? {
        let digits = stream.drop { !("0"..."9").contains($0) }.prefix { ("0"..."9").contains($0) || $0 == "." }
        let parts = digits.split(separator: ".").prefix(3).map { Double($0) ?? 0 }
        guard let first = parts.first else { return nil }
        return parts.dropFirst().enumerated().reduce(first * 10_000) { $0 + $1.element * ($1.offset == 0 ? 100 : 1) }
    }
}
