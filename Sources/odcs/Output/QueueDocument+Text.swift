import ComposeModel

extension QueueDocument {
    /// The place in the queue for people. Example: `position 12, about 3 minutes: 11 composes are ahead,
    /// 2 of them yours.`
    ///
    /// - Parameter stateReason: The reason of the state of the compose, which follows. A compose that waits
    ///   has one if an attempt has failed.
    func text(after stateReason: String? = nil) -> String {
        let time =
            switch estimateSeconds {
            case nil, 0?: ""
            case let seconds? where seconds < 120: ", about \(seconds) \(seconds == 1 ? "second" : "seconds")"
            case let seconds?: ", about \((seconds + 30) / 60) minutes"
            }
        return "position \(position)\(time): \(reason)\(stateReason.map { " \($0)" } ?? "")"
    }
}
