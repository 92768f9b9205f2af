/// Patience is how long a call waits for a server that is away.
enum Patience: Sendable {
    /// For a query that a person waits for: two seconds.
    case brief
    /// For a call that starts something. If a gateway answers 502, 503 or 504, there is a service behind
    /// it, so the call is repeated for minutes. If nothing listens at the address, the address may be wrong
    /// or a server may be restarting, so the call is repeated for half a minute.
    case firstContact
    /// For a compose that the client waits for, on a server that has answered before: minutes.
    case established

    /// Returns how often a call is repeated after `error`, and with which pauses.
    func schedule(after error: ComposeClientError) -> RetrySchedule {
        switch self {
        case .brief: .call
        case .firstContact: error.status == nil && error.code == .unreachable ? .whileRestarting : .whileWaiting
        case .established: .whileWaiting
        }
    }
}

/// An outage is the beginning or the end of the server's absence, for a person who waits.
public enum Outage: Hashable, Sendable {
    /// The server is away for the reason in the error. The call is repeated until the server is back or the
    /// patience is exhausted.
    case began(ComposeClientError)
    /// The server answers again.
    case ended
}
