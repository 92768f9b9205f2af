import ComposeFrontend
import ComposeModel
import ContentSources
import Synchronization

/// Configured places are the rules of a configuration for the places that a request may name. Finished
/// composes of the service itself may be named too, at the addresses at which they are served.
final class ConfiguredPlaces: SourcePlaces {
    /// The access to the directories and addresses of `sources`.
    private let access: SourceAccess
    private let targets: [String: ServerConfiguration.Target]
    private let publicURL: PublicURL
    private let systems: ServerConfiguration.Systems
    /// The access with the service's own composes, and the address of the service that it is for. The
    /// address changes once, when it becomes known.
    private let published = Mutex<(access: SourceAccess, address: String?)?>(nil)

    init(access: SourceAccess, targets: [String: ServerConfiguration.Target], publicURL: PublicURL, systems: ServerConfiguration.Systems) {
        self.access = access
        self.targets = targets
        self.publicURL = publicURL
        self.systems = systems
    }

    func authorize(_ locations: [String]) throws(ComposeFailure) {
        let access = try publishedAccess()
        for location in locations { try access.authorize(try RepositoryLocation(location)) }
    }

    func check(_ words: [String], of type: SourceType) throws(ComposeFailure) {
        try systems.check(words, of: type)
    }

    private func publishedAccess() throws(ComposeFailure) -> SourceAccess {
        let address = publicURL.current
        if let known = published.withLock(\.self), known.address == address { return known.access }
        let access = try access.publishing(targets, publicURL: address)
        published.withLock { $0 = (access, address) }
        return access
    }
}
