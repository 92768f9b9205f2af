public import Logging

extension Logger {
    /// Logs that background work has failed. Logs nothing if its task is canceled, as at the end of a
    /// process, because the next process does the work again.
    ///
    /// - Parameter message: The work, for example `could not expire composes`.
    public func workFailed(_ message: Message, _ error: any Error, level: Level = .error) {
        guard !Task.isCancelled else { return }
        log(level: level, message, metadata: ["error": "\(error)"])
    }
}
