public import ComposeModel

/// Source places are the operator's rules for the places that a request may name.
public protocol SourcePlaces: Sendable {
    /// Throws if the server may not read one of `locations`, which are absolute paths and URLs.
    func authorize(_ locations: [String]) throws(ComposeFailure)

    /// Throws if one of `names`, which are content sets, cannot be asked of this server's Pulp.
    func checkContentSets(_ names: [String]) throws(ComposeFailure)
}
