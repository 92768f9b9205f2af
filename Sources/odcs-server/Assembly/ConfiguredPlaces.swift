import ComposeFrontend
import ComposeModel
import ContentSources

/// Configured places are the rules of a configuration for the places that a request may name. Finished
/// composes of the service itself may be named too, at the addresses at which they are served.
struct ConfiguredPlaces: SourcePlaces {
    /// The access to the directories and addresses of `sources`.
    let access: SourceAccess
    let targets: [String: ServerConfiguration.Target]
    let publicURL: PublicURL
    let systems: ServerConfiguration.Systems

    func authorize(_ locations: [String]) throws(ComposeFailure) {
        let access = try access.publishing(targets, publicURL: publicURL.current)
        for location in locations { try access.authorize(try RepositoryLocation(location)) }
    }

    func check(_ words: [String], of type: SourceType) throws(ComposeFailure) {
        try systems.check(words, of: type)
    }
}
