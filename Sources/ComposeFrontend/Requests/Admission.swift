public import ComposeModel

/// The admission decides whether a server can fulfil a request whose form is right.
///
/// The frontend refuses a request by it, and a worker leaves the compose of such a request to other
/// workers. ``RequestValidator`` checks the form of a request.
public struct Admission: Sendable {
    public var capabilities: ServerCapabilities
    public var places: any SourcePlaces

    public init(capabilities: ServerCapabilities, places: any SourcePlaces) {
        self.capabilities = capabilities
        self.places = places
    }

    /// Returns why a server with these capabilities cannot make the compose of `request`, in whole
    /// sentences. Returns `nil` if it can.
    public func refusal(of request: ComposeRequest) -> String? {
        if let reason = capabilities.refusal(of: request.sourceType) { return reason }
        do throws(ComposeFailure) {
            let locations = Self.locations(of: request)
            if !locations.isEmpty { try places.authorize(locations) }
            if let reason = capabilities.refusalOfModules(of: request) { return reason }
            try places.check(request.source, of: request.sourceType)
            return nil
        } catch {
            return error.message
        }
    }

    /// Returns the directories and addresses that a worker would read for `request`.
    private static func locations(of request: ComposeRequest) -> [String] {
        let hasLocations = request.sourceType.traits.hasLocations
        return (hasLocations ? request.source : []) + request.lookasideRepos + (request.moduleDefaultsURL.map { [$0] } ?? [])
    }
}
