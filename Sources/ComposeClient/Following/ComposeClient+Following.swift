public import ComposeModel

extension ComposeClient {
    /// Returns the compose after each change, until its state is final. Each element differs from the one
    /// before it, and the last one is final.
    public func wait(_ id: Int) -> some AsyncSequence<ComposeDocument, any Error> & Sendable {
        follow(id, log: false).compactMap { event in
            if case .changed(let compose) = event { compose } else { nil }
        }
    }

    /// Returns the lines of a compose's log as they are written, until the state of the compose is final. A
    /// log that does not exist (yet) has no lines.
    ///
    /// - Throws: Also if the log cannot be read.
    public func log(_ id: Int) -> some AsyncSequence<String, any Error> & Sendable {
        follow(id, log: true).compactMap { event in
            switch event {
            case .logged(let line): line
            case .logUnreadable(let error): throw error
            case .changed, .unchanged: nil
            }
        }
    }

    /// Returns all events of a compose until its state is final.
    public func follow(_ id: Int, log: Bool) -> ComposeEvents {
        ComposeEvents(id: id, includesLog: log, transport: transport)
    }
}
