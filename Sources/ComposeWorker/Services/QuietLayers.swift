import Repodata

/// The layers of repositories that have changed, until no other revision of the repository has been
/// used for some time.
///
/// Example: revisions come every second. Ten seconds after the last one, its layer is taken.
struct QuietLayers {
    /// The time without another revision of a repository.
    static let time = Duration.seconds(10)
    /// The maximum number of repositories to remember.
    private static let most = 64

    /// The last layer of each place, with the time of the compose.
    private var layers: [String: (layer: RepositoryMetadata, time: ContinuousClock.Instant)] = [:]

    /// Remembers the metadata that a compose was made from, if it is a layer.
    mutating func note(_ repositories: [RepositoryMetadata], at time: ContinuousClock.Instant) {
        for repository in repositories {
            guard let place = repository.place.name else { continue }
            layers[place] = nil
            if repository.base != nil, layers.count < Self.most { layers[place] = (repository, time) }
        }
    }

    /// Returns the layers of repositories that have been quiet, and forgets them.
    mutating func take(at now: ContinuousClock.Instant) -> [RepositoryMetadata] {
        let quiet = layers.filter { $0.value.time + Self.time <= now }
        for place in quiet.keys { layers[place] = nil }
        return quiet.values.map(\.layer)
    }
}
