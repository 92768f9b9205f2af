import ForeignText
public import Hummingbird

/// A request rejection is a status and a sentence. The sentence names the mistake and a correct value.
public struct RequestRejection: Error, Sendable, CustomStringConvertible {
    public let status: HTTPResponse.Status
    /// One line, printable.
    public let message: String
    /// Additional headers of the answer. Examples: `Allow`, `Retry-After`.
    public let headers: HTTPFields
    /// The reason of a 401, 403 or 429, for the metrics.
    let reason: RefusalReason?
    /// The identity provider that refused the credentials. `nil` if the sender is known, or if no provider
    /// was asked.
    var provider: String?

    public init(_ status: HTTPResponse.Status, _ message: String, headers: HTTPFields = [:]) {
        self.init(status, nil, message, headers: headers)
    }

    /// - Parameter reason: The reason of a 401, 403 or 429.
    init(_ status: HTTPResponse.Status, _ reason: RefusalReason?, _ message: String, headers: HTTPFields = [:]) {
        self.status = status
        self.reason = reason
        self.message = message.printable()
        self.headers = headers
    }

    public var description: String { message }

    static func badRequest(_ message: String) -> Self {
        Self(.badRequest, message)
    }

    static func noSuchCompose(_ id: some StringProtocol) -> Self {
        Self(.notFound, "There is no compose \(id.printable(most: 40)).")
    }

    static func noSuchWatch(_ id: some StringProtocol) -> Self {
        Self(.notFound, "There is no watch \(id.printable(most: 40)).")
    }

    static func noSuchImage(_ id: some StringProtocol) -> Self {
        Self(.notFound, "There is no image \(id.printable(most: 40)).")
    }

    static func noSuchBuild(_ id: some StringProtocol) -> Self {
        Self(.notFound, "There is no build \(id.printable(most: 40)).")
    }

    static func noSuchRebuild(_ id: some StringProtocol) -> Self {
        Self(.notFound, "There is no rebuild \(id.printable(most: 40)).")
    }

    static func noSuchRule(_ id: some StringProtocol) -> Self {
        Self(.notFound, "There is no rule \(id.printable(most: 40)).")
    }

    static func bodyTooLarge(limit: Int) -> Self {
        Self(.contentTooLarge, "The body is too large; at most \(limit) bytes are read.")
    }
}
