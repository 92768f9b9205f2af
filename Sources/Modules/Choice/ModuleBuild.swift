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
