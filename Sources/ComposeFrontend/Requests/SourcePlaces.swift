public import ComposeModel

/// Source places are the operator's rules for the places that a request may name.
public protocol SourcePlaces: Sendable {
    /// Throws if the server may not read one of `locations`, which are absolute paths and URLs.
    func authorize(_ locations: [String]) throws(ComposeFailure)

    /// Throws if one of the `source` words of a request cannot be asked of the system that its source type
    /// needs. Example: the name of a content set that this server's Pulp cannot have.
    func check(_ words: [String], of type: SourceType) throws(ComposeFailure)
}
