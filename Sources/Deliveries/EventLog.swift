import ComposeModel
public import ComposeStore
import ImageModel
public import Logging

/// The event log writes each event to the log of the process.
public struct EventLog: Sendable {
    /// The name of the subscriber.
    static let name = "log"

    private let logger: Logger

    public init(logger: Logger) {
        self.logger = logger
    }

    func write(_ event: StoredEvent) {
        switch event.subject {
        case .compose(let compose):
            logger.info("state changed", metadata: ["compose": "\(compose.id)", "state": "\(compose.state.name)"])
        case .build(let build):
            logger.info("state changed", metadata: ["build": "\(build.id)", "state": "\(build.state.name)"])
        case .token(let token):
            let document = TokenDocument(token)
            logger.notice(
                "an API token expires soon",
                metadata: [
                    "token": "\(document.id)", "owner": "\(document.owner)", "note": "\(document.note)",
                    "end": "\(document.timeToExpire ?? "")",
                ])
        case .unreadable(let object, let problem):
            logger.error("an event cannot be read", metadata: ["object": "\(object)", "problem": "\(problem)"])
        }
    }
}
