extension ServiceManager {
    /// The interval of the messages of ``whileStarting(_:_:)``, and the time that each of them asks for.
    private static let (pause, extraTime) = (Duration.seconds(10), Duration.seconds(30))

    /// Runs `body`, a part of the start that can take longer than the service manager usually waits. A
    /// migration of a large database is one.
    ///
    /// - Parameter status: What is being done, as a sentence.
    func whileStarting<R: Sendable>(_ status: String, _ body: @escaping @Sendable () async throws -> R) async throws -> R {
        try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while !Task.isCancelled {
                    notify("EXTEND_TIMEOUT_USEC=\(Self.extraTime.components.seconds * 1_000_000)", "STATUS=\(status)")
                    // The error of a sleep says that the body has ended.
                    try? await Task.sleep(for: Self.pause)
                }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }
}
