/// How long a server that is away is waited for.
enum Patience: Sendable {
    /// For a question that a person waits for: two seconds.
    case brief
    /// For what begins something: a gateway that says 502, 503 or 504 has a service behind it, so minutes. An address where nothing listens may be
    /// wrong, or a server restarts there: half a minute.
    case firstContact
    /// For a compose that is being waited for, of a server that has answered before: minutes.
    case established

    /// How often, and after which pauses, a call is made again after `error`.
    func backoff(after error: ComposeClientError) -> Backoff {
        switch self {
        case .brief: .call
        case .firstContact: error.status == nil && error.code == .unreachable ? .whileRestarting : .whileWaiting
        case .established: .whileWaiting
        }
    }
}

/// Something that the server's absence leads to, for a person who waits.
public enum Outage: Hashable, Sendable {
    /// The server is away for the reason that the error gives, and is asked again until it is back or the patience is over.
    case began(ComposeClientError)
    /// It answers again.
    case ended
}
