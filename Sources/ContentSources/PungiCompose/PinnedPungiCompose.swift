public import ComposeModel
public import Compression

/// A *pinned Pungi compose* is one variant of another compose at one moment. Its package list is pinned
/// by a checksum, and its repositories are pinned by the checksums of their repomd.xml.
public struct PinnedPungiCompose: Hashable, Sendable {
    /// The repositories of one base architecture.
    public struct Tree: Hashable, Sendable {
        public let arch: String
        public let repository: RepositoryPin
        /// `nil` if the compose does not have it. Debugging information and sources are not published
        /// everywhere.
        public let debug: RepositoryPin?
        public let source: RepositoryPin?

        public var repositories: [RepositoryPin] { [repository, debug, source].compactMap(\.self) }
    }

    /// The directory of the variant, for example `http://host/…/compose/Server`.
    public let location: RepositoryLocation
    /// SHA-256 of rpms.json.
    public let rpms: Checksum
    /// The trees of the requested architectures that the compose has, in the order of the request.
    public let trees: [Tree]

    public var repositories: [RepositoryPin] { trees.flatMap(\.repositories) }

    init(location: RepositoryLocation, rpms: Checksum, trees: [Tree]) {
        self.location = location
        self.rpms = rpms
        self.trees = trees
    }

    /// Creates a pin from a record that was written earlier, for example by the compose that is being
    /// renewed.
    ///
    /// Throws `.internal` for a record that cannot be read.
    public init(recorded pin: PungiComposePin) throws(ComposeFailure) {
        location = try RepositoryLocation(pin.location)
        rpms = try Self.checksum(pin.rpms)
        var trees: [Tree] = []
        for tree in pin.trees {
            trees.append(
                Tree(
                    arch: tree.arch, repository: try Self.pin(tree.repository), debug: try Self.pin(tree.debug),
                    source: try Self.pin(tree.source)))
        }
        self.trees = trees
    }

    /// The pin in the form in which it is recorded.
    public var record: PungiComposePin {
        func record(_ pin: RepositoryPin) -> ComposeSpecification.Repository {
            .init(location: pin.location.description, repomd: pin.checksum.description)
        }
        return PungiComposePin(
            location: location.description, rpms: rpms.description,
            trees: trees.map {
                .init(arch: $0.arch, repository: record($0.repository), debug: $0.debug.map(record), source: $0.source.map(record))
            })
    }

    private static func checksum(_ text: String) throws(ComposeFailure) -> Checksum {
        guard let checksum = Checksum(text) else {
            throw ComposeFailure(.internal, "The record of this compose has a checksum that cannot be read: \(text).")
        }
        return checksum
    }

    private static func pin(_ repository: ComposeSpecification.Repository) throws(ComposeFailure) -> RepositoryPin {
        RepositoryPin(recorded: try checksum(repository.repomd), of: try RepositoryLocation(repository.location))
    }

    private static func pin(_ repository: ComposeSpecification.Repository?) throws(ComposeFailure) -> RepositoryPin? {
        guard let repository else { return nil }
        return try pin(repository) as RepositoryPin
    }
}
