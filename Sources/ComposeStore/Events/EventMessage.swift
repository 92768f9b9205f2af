public import ComposeModel
public import ImageModel

/// An event message is the message of an event, as the HTTP contract defines it. It has either a
/// compose, a build or a token.
public struct EventMessage: Encodable, Sendable {
    public enum Name: String, Encodable, Sendable {
        case stateChanged = "state-changed"
        case tokenExpiring = "token-expiring"
    }

    public var event: Name
    public var compose: ComposeDocument?
    public var build: BuildDocument?
    public var token: TokenDocument?
}

extension ComposeStore {
    /// Returns the message of an event. Returns `nil` if the image of a build is gone, or if the event
    /// cannot be read.
    ///
    /// - Parameters:
    ///   - targetURL: Returns the URL of a target directory by its name.
    ///   - serverURL: The URL of the frontend, in front of the addresses of logs. It may be empty.
    public func message(
        of event: StoredEvent, targetURL: (String) -> String, serverURL: String = ""
    ) async throws -> EventMessage? {
        switch event.subject {
        case .compose(let compose):
            let document = ComposeDocument(compose, targetURL: targetURL(compose.request.targetDir))
            return EventMessage(event: .stateChanged, compose: document)
        case .build(let build):
            guard let repository = try await repositories(of: [build.image])[build.image] else { return nil }
            let document = BuildDocument(build, repository: repository) { platform in
                "\(serverURL)/api/1/builds/\(build.id)/log?platform=\(platform)"
            }
            return EventMessage(event: .stateChanged, build: document)
        case .token(let token):
            return EventMessage(event: .tokenExpiring, token: TokenDocument(token))
        case .unreadable: return nil
        }
    }
}
